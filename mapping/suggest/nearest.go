package suggest

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// longest is the length in bytes above which a word is not compared: no known
// name comes near it, and the comparison takes time proportional to its square.
const longest = 128

// Nearest returns the known word that is closest to word, or "" when none is
// close enough to be worth mentioning: at least half of a word must be right. Case
// does not count, so "iif" finds "IIF".
// Of several equally close words the first one is taken.
func Nearest(word string, known iter.Seq[string]) string {
	if word == "" || len(word) > longest || !utf8.ValidString(word) {
		return ""
	}
	folded := []rune(strings.ToLower(word))
	best, bestDistance := "", min(len(folded)/3+2, len(folded)/2+1)
	for candidate := range known {
		d := distance(folded, []rune(strings.ToLower(candidate)), bestDistance)
		if d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the insertions, removals, replacements and swaps of neighbours
// that turn a into b; anything from limit up counts as limit.
func distance(a, b []rune, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
