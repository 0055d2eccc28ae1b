package expr

import (
	"cmp"
	"slices"
)

// functionTable has one entry for each function, in the order of their names. The
// entries stand by theme in functions_text.go and its neighbours; their
// documentation follows Microsoft's reference:
// https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data.
var functionTable = func() []function {
	table := slices.Concat(textFunctions, logicFunctions, numberFunctions, encodingFunctions, listFunctions, roleFunctions,
		dateFunctions, uniqueFunctions)
	slices.SortFunc(table, func(a, b function) int { return cmp.Compare(a.Name, b.Name) })
	return table
}()

// functionNames are the names of the table, in its order.
var functionNames = func() []string {
	names := make([]string, len(functionTable))
	for i := range functionTable {
		names[i] = functionTable[i].Name
	}
	return names
}()

func functionNamed(name string) (*function, bool) {
	i, ok := slices.BinarySearch(functionNames, name)
	if !ok {
		return nil, false
	}
	return &functionTable[i], true
}

// Functions returns the documentation of every function, in the order of their
// names. The caller owns the slice.
func Functions() []Function {
	list := make([]Function, len(functionTable))
	for i := range functionTable {
		list[i] = functionTable[i].Function
		list[i].Parameters = slices.Clone(list[i].Parameters)
		list[i].Notes = slices.Clone(list[i].Notes)
	}
	return list
}
