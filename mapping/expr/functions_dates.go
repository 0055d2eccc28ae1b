package expr

// dateFunctions are the functions on dates.
var dateFunctions []function
