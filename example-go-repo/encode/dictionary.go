package encode

import "encoding/binary"

// Dictionary numbers words, so that a word that returns costs one or two bytes.
type Dictionary struct {
	numbers map[string]uint64
	hits    int
}

// NewDictionary returns an empty dictionary.
func NewDictionary() *Dictionary {
	return &Dictionary{numbers: make(map[string]uint64)}
}

// Append writes a word: its number if it is known, itself if not.
func (d *Dictionary) Append(buffer []byte, word string) []byte {
	if number, ok := d.numbers[word]; ok {
		d.hits++
		return binary.AppendUvarint(buffer, number)
	}
	d.numbers[word] = uint64(len(d.numbers)) + 1
	buffer = append(buffer, 0)
	buffer = binary.AppendUvarint(buffer, uint64(len(word)))
	return append(buffer, word...)
}

// Hits is how many words were known.
func (d *Dictionary) Hits() int { return d.hits }
