"""Text to numbers with units, and back, from one table."""

from __future__ import annotations
