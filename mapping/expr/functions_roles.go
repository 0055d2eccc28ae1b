package expr

// roleFunctions are the functions on app-role assignments.
var roleFunctions []function
