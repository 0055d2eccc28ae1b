package control

import "testing"

// A server that answers with more than was asked for is not asked for ever.
func TestAnswersThatAreTooLongEndTheAsking(t *testing.T) {
	for _, after := range []int{0, 1, maxRecords} { // how long the answers are behind the first
		asked := 0
		got, err := inPages(maxRecords+500, func(int, *int) ([]int, error) {
			if asked++; asked == 1 {
				return make([]int, 2*maxRecords), nil
			}
			if asked > 3 {
				t.Fatalf("answers of %d: asked %d times, want an end", after, asked)
			}
			return make([]int, after), nil
		})
		if err != nil || asked != 1 || len(got) < maxRecords+500 {
			t.Errorf("answers of %d: got %d records after %d questions, %v", after, len(got), asked, err)
		}
	}
}
