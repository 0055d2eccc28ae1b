package expr

// bitAnd works on 64 bits. Without one of the numbers there is no result.
func bitAnd(c call) (value, error) {
	var numbers [2]int64
	for i := range numbers {
		v, err := c.value(i)
		if err != nil || v.empty() {
			return value{}, err
		}
		if numbers[i], err = c.whole(i, v); err != nil {
			return value{}, err
		}
	}
	return intValue(numbers[0] & numbers[1]), nil
}
