package expr

// encodingFunctions are the functions that encode, decode and make up texts.
var encodingFunctions []function
