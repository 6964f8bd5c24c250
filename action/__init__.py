"""The two GitHub Actions of this repository: `action.yml` measures and judges, `comment/action.yml` posts.

What runs on the user's runner is here; what the pytest plugin and the command `gotrace` can do is in `pytest_gotrace`.
"""
