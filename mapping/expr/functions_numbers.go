package expr

// numberFunctions are the functions on numbers and types.
var numberFunctions []function
