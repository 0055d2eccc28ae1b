package pseudonym

import (
	"encoding/binary"
	"slices"
	"unicode"
)

// rounds of the Feistel network; eight are enough for a permutation of small
// domains, two more cost little.
const rounds = 10

// shape is the classes of a word's letters.
type shape []class

// word returns the pseudonym of a word, in the case of its letters.
func (p *Pseudonymizer) word(w []rune) string {
	folded := make([]rune, len(w))
	capitals := make([]bool, len(w))
	for i, r := range w {
		folded[i], capitals[i] = fold(r)
	}
	out := []rune(p.folded(string(folded)))
	for i := range out {
		if capitals[i] {
			out[i] = unicode.ToUpper(out[i])
		}
	}
	return string(out)
}

// folded returns the pseudonym of a word without capitals. Words that stay are
// walked around, which keeps the rest a permutation.
func (p *Pseudonymizer) folded(w string) string {
	if p.stays[w] {
		return w
	}
	if known, ok := p.known[w]; ok {
		return known
	}
	out := p.permute(w)
	for p.stays[out] {
		out = p.permute(out)
	}
	p.known[w] = out
	return out
}

// permute maps words of one shape to words of that shape, one to one.
func (p *Pseudonymizer) permute(w string) string {
	letters := []rune(w)
	of := make(shape, len(letters))
	places := make([]int, len(letters))
	sizes := make([]int, len(letters))
	for i, r := range letters {
		of[i] = classOf(r)
		alphabet := p.alphabet(of[i])
		places[i], _ = slices.BinarySearch(alphabet, r)
		sizes[i] = len(alphabet)
	}
	if len(places) == 1 {
		places[0] = p.order(of)[places[0]]
	} else {
		p.feistel(of, places, sizes)
	}
	for i := range letters {
		letters[i] = p.alphabet(of[i])[places[i]]
	}
	return string(letters)
}

// feistel permutes all words of a shape: by turns each half is shifted by what the
// key makes of the other.
func (p *Pseudonymizer) feistel(of shape, places, sizes []int) {
	half := len(places) / 2
	for round := range rounds {
		from, to, base := places[:half], places[half:], sizes[half:]
		if round%2 == 1 {
			from, to, base = places[half:], places[:half], sizes[:half]
		}
		shift := p.stream(round, of, from, len(to))
		for i := range to {
			to[i] = (to[i] + int(shift[i]%uint64(base[i]))) % base[i]
		}
	}
}

// order is the permutation of the words of one letter.
func (p *Pseudonymizer) order(of shape) []int {
	if known := p.orders[of[0]]; known != nil {
		return known
	}
	out := make([]int, len(p.alphabet(of[0])))
	random := p.stream(rounds, of, nil, len(out))
	for i := range out {
		at := int(random[i] % uint64(i+1))
		out[i], out[at] = out[at], i
	}
	p.orders[of[0]] = out
	return out
}

// stream is n numbers that only the key tells from random ones.
func (p *Pseudonymizer) stream(round int, of shape, from []int, n int) []uint64 {
	message := []byte{byte(round)}
	message = binary.AppendUvarint(message, uint64(len(of)))
	for _, c := range of {
		message = binary.AppendUvarint(message, uint64(c.block))
		mark := byte(c.kind) << 1
		if c.cased {
			mark++
		}
		message = append(message, mark)
	}
	for _, place := range from {
		message = binary.AppendUvarint(message, uint64(place))
	}
	sum := p.mac(message)
	seed := slices.Clone(sum) // what follows must not cost the square of the word's length
	out := make([]uint64, 0, n)
	for block := uint32(1); ; block++ {
		for i := 0; i+8 <= len(sum) && len(out) < n; i += 8 {
			out = append(out, binary.BigEndian.Uint64(sum[i:]))
		}
		if len(out) == n {
			return out
		}
		sum = p.mac(binary.BigEndian.AppendUint32(slices.Clone(seed), block))
	}
}

// mac returns the keyed hash of a message, valid until the next one.
func (p *Pseudonymizer) mac(message []byte) []byte {
	p.hash.Reset()
	p.hash.Write(message) // a hash never fails
	p.sum = p.hash.Sum(p.sum[:0])
	return p.sum
}

func (p *Pseudonymizer) alphabet(c class) []rune {
	if known := p.alphabets[c]; known != nil {
		return known
	}
	out := c.alphabet()
	p.alphabets[c] = out
	return out
}
