// Package reliability holds the simulation that shows the engine's promises to
// hold when things go wrong: it has tests only.
//
// One run is a script, plain data generated from a seed: a story of what
// administrators of both tenants do, what goes wrong on the way to Microsoft
// Graph, on the disk and with the process, and when cycles begin. It is executed
// inside one bubble of virtual time (testing/synctest) over simulated tenants,
// with the real adapter, engine and store. Afterwards the faults stop, some more
// cycles run, and the invariants are held against what both tenants and their
// journals say; see docs/reliability.md for the list.
//
//	go test ./reliability                              200 seeds
//	go test ./reliability -run TestSeeds -seeds 5000 -first 1000
//	go test ./reliability -run TestSeeds -seed 4711    one seed, with its whole trace
//	go test ./reliability -run TestSeeds -script FILE  a script, as a failing seed prints it
//
// Planted defects show that the simulation is not blind: each is built into a copy
// of the program, which a recorded seed must catch. Where the generator has changed,
// these look for the seeds anew and bring them into docs/reliability.md:
//
//	go test ./reliability -run TestPlantedDefects -defects   builds and runs each
//	go test ./reliability -run TestSearchDefects -search . -timeout 0
//	go test ./reliability -run TestPlantedDefectsPage -update
//
// Long life (a year of cycles, wrong clocks, tokens) is tested beside it, with the
// daemon and without faults at random.
//
// A seed replays exactly. Everything random in a run comes from its seed, and each
// request takes a time of its own on the way, made from its content: of two requests under way
// at once it is thereby settled which one arrives first.
package reliability
