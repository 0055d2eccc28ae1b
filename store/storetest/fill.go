package storetest

import (
	"fmt"
	"reflect"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

// filled returns a record in which every field has a value of its own, so that a
// field which an implementation forgets shows, today's and tomorrow's.
func filled[T any]() T {
	var record T
	n := 0
	fill(reflect.ValueOf(&record).Elem(), &n)
	return record
}

// given are types that are not filled field by field.
var given = map[reflect.Type]func(n int) any{
	reflect.TypeFor[time.Time]():            func(n int) any { return day.Add(time.Duration(n) * time.Microsecond) },
	reflect.TypeFor[directory.Attributes](): func(int) any { return sampleAttributes() },
	reflect.TypeFor[store.LinkState]():      func(int) any { return store.LinkDeleted },
	reflect.TypeFor[store.Pair]():           func(int) any { return pairA },
}

func fill(v reflect.Value, n *int) {
	*n++
	if value, ok := given[v.Type()]; ok {
		v.Set(reflect.ValueOf(value(*n)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		// Every other text is an id, since implementations may shorten those.
		if *n%2 == 0 {
			v.SetString(fmt.Sprintf("%08x-8a3e-4b7d-9c60-1d2e3f405162", *n))
		} else {
			v.SetString(fmt.Sprintf("text <%d> & \"more\"", *n))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("storetest: a record has a field of kind " + v.Kind().String() + "; teach fill about it")
	}
}

// eachField calls check with records that have one field filled and all others
// zero, except those named: what identifies the record.
func eachField[T any](keep []string, check func(field string, record T)) {
	whole := filled[T]()
	from := reflect.ValueOf(whole)
	for i := range from.NumField() {
		var record T
		to := reflect.ValueOf(&record).Elem()
		for _, name := range keep {
			to.FieldByName(name).Set(from.FieldByName(name))
		}
		to.Field(i).Set(from.Field(i))
		check(from.Type().Field(i).Name, record)
	}
}

func sampleAttributes() directory.Attributes {
	return directory.AttributesOf(map[string]directory.Value{
		"accountEnabled": directory.BoolOf(true),
		"businessPhones": directory.ListOf("+41 31 555 01 00", "+41 31 555 01 01"),
		"companyName":    directory.NullValue(),
		"customNumber":   directory.IntOf(-7),
		"displayName":    directory.TextOf("Adèle Vance"),
		"manager":        directory.RefOf("0f5c1a52-8a3e-4b7d-9c60-1d2e3f405162"),
		"otherMails":     directory.ListOf(),
		"userType":       directory.TextOf("Member"),
	})
}
