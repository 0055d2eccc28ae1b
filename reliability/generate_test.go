package reliability_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"tenantsync/entra/entrasim"
)

// generator makes a script from a seed, and nothing but the seed.
type generator struct {
	*rand.Rand
	s      *Script
	people int // numbers given out so far
}

// generate makes the script of a seed.
func generate(seed uint64) Script {
	s := Script{Seed: seed}
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x7265_6c69_6162)), s: &s}
	g.setup()
	g.add(Step{Do: "cycle"})
	for n := 6 + g.IntN(7); n > 0; n-- {
		if g.one(4) {
			g.flip()
		}
		for k := g.IntN(5); k > 0; k-- {
			g.act()
		}
		if g.IntN(3) > 0 {
			g.trouble()
		}
		g.add(Step{Do: "wait", For: entrasim.Duration(time.Duration(1+g.IntN(90)) * time.Minute)})
		c := Step{Do: "cycle"}
		if s.Setup.Second || s.Setup.Reverse {
			c.Who = 1 + g.IntN(2)
		}
		if g.one(12) {
			c.Text = "initial"
		}
		g.add(c)
	}
	s.rare()
	return s
}

func (g *generator) add(s Step) { g.s.Steps = append(g.s.Steps, s) }

// one is true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func (g *generator) setup() {
	u := &g.s.Setup
	u.Users, u.Groups = 12+g.IntN(14), 3
	g.people = u.Users
	u.Job = g.settings()
	u.PageSize = []int{0, 3, 7, 20}[g.IntN(4)]
	u.AutoRedeem = g.one(2)
	u.Second = g.one(6)
	u.Reverse = !u.Second && g.one(10)
	if g.one(4) {
		u.Replication, u.Replicas = entrasim.Duration(time.Duration(g.IntN(20))*time.Second), 1+g.IntN(3)
	}
	if g.one(6) {
		u.DeltaLag = entrasim.Duration(time.Duration(g.IntN(120)) * time.Second)
	}
	if g.one(6) {
		u.Stale = entrasim.Duration(time.Duration(g.IntN(30)) * time.Second)
	}
	if g.one(4) {
		u.TokenLife = entrasim.Duration(10 * time.Minute)
	}
	u.Quota = g.one(3)
	u.Writes = []float64{0, 2, 18, 100}[g.IntN(4)]
}

func (g *generator) settings() Settings {
	s := Settings{Scope: []string{"", "", "group", "groups", "nested"}[g.IntN(5)]}
	if g.one(3) {
		s.Filter = "Sales"
	}
	s.Rules = []string{"", "", "suffix", "addOnly"}[g.IntN(4)]
	s.Deprovision = []string{"", "", "", "disable", "none"}[g.IntN(5)]
	if s.Deprovision == "disable" && g.one(2) {
		s.DeleteAfter = entrasim.Duration(6 * time.Hour)
	}
	if g.one(2) {
		s.Threshold = 1 + g.IntN(4)
	}
	s.Percent = []float64{0, -1, 30}[g.IntN(3)]
	s.Shrink = []float64{0, -1, 30}[g.IntN(3)]
	s.Yield = g.one(4)
	switch g.IntN(20) {
	case 0:
		s.NoCreate = true
	case 1:
		s.NoUpdate = true
	case 2:
		s.NoDelete = true
	}
	return s
}

// flip adds changes that are taken back after a cycle that does not end: what it
// has written by then must not stay.
func (g *generator) flip() {
	who := g.who()
	pairs := [][2]Step{
		{{Do: "change", Text: "city=Flipped"}, {Do: "change", Text: "city=Oslo"}},
		{{Do: "change", Text: "department=Legal"}, {Do: "change", Text: "department=Sales"}},
		{{Do: "disable"}, {Do: "enable"}},
		{{Do: "enable"}, {Do: "disable"}},
		{{Do: "delete"}, {Do: "restore"}},
		{{Do: "leave", Whom: 1}, {Do: "join", Whom: 1}},
		{{Do: "manager", Whom: g.who()}, {Do: "manager"}},
	}
	var back []Step
	for n := 1 + g.IntN(3); n > 0; n-- {
		p := pairs[g.IntN(len(pairs))]
		p[0].Who, p[1].Who = who, who
		g.add(p[0])
		back = append(back, p[1])
		who = g.who()
	}
	g.add(Step{Do: []string{"crash after request", "crash before commit", "disk full", "stop"}[g.IntN(4)], At: 2 + g.IntN(8)})
	g.add(Step{Do: "cycle"})
	g.apart()
	for _, s := range back {
		g.add(s)
	}
	if g.one(2) {
		g.add(Step{Do: "cycle"})
	}
}

// apart keeps changes of one thing further from each other than replicas lag: the
// engine does not tell a replica that lags from somebody who took a change back.
func (g *generator) apart() {
	if g.s.Setup.Stale > 0 || g.s.Setup.DeltaLag > 0 {
		g.add(Step{Do: "wait", For: entrasim.Duration(3 * time.Minute)})
	}
}

// who is the number of somebody who exists, or did.
func (g *generator) who() int { return 1 + g.IntN(g.people) }

// address is one that somebody has, had, or nobody ever had.
func (g *generator) address() string {
	if g.one(2) {
		return upn(g.who())
	}
	return fmt.Sprintf("new%d@contoso.example", g.IntN(30))
}

// act adds something that an administrator does, now or in the middle of the next cycle.
func (g *generator) act() {
	s := g.sourceAct()
	switch g.IntN(10) {
	case 0, 1, 2:
		s = g.targetAct()
	case 3:
		s = g.operatorAct()
	}
	if g.one(4) {
		s.At = 1 + g.IntN(25)
	}
	g.add(s)
}

func (g *generator) sourceAct() Step {
	switch g.IntN(24) {
	case 0, 1:
		g.people++
		return Step{Do: "hire", Who: g.people}
	case 2:
		g.people++
		return Step{Do: "hire", Who: g.people, Text: g.address()}
	case 3:
		return Step{Do: "rename", Who: g.who(), Text: g.address()}
	case 4:
		return Step{Do: "rename upn", Who: g.who(), Text: g.address()}
	case 5:
		return Step{Do: "change mail", Who: g.who(), Text: g.address()}
	case 6, 7, 8:
		return Step{Do: "change", Who: g.who(), Text: []string{"city=Lima", "city=", "displayName=Zoe", "jobTitle=Chief", "jobTitle=", "department=Sales",
			"department=Legal", "department=Mining", "employeeId=", "givenName=Åsa"}[g.IntN(10)]}
	case 9, 10:
		return Step{Do: "manager", Who: g.who(), Whom: g.who()}
	case 11:
		return Step{Do: "manager", Who: g.who()}
	case 12:
		return Step{Do: "disable", Who: g.who()}
	case 13:
		return Step{Do: "enable", Who: g.who()}
	case 14, 15:
		return Step{Do: "delete", Who: g.who()}
	case 16:
		return Step{Do: "restore", Who: g.who()}
	case 17:
		return Step{Do: "purge", Who: g.who()}
	case 18:
		return Step{Do: []string{"guest", "member"}[g.IntN(2)], Who: g.who()}
	case 19, 20:
		return Step{Do: "join", Who: g.who(), Whom: 1 + g.IntN(3)}
	case 21:
		return Step{Do: "leave", Who: g.who(), Whom: 1 + g.IntN(3)}
	case 22:
		return Step{Do: []string{"nest", "unnest"}[g.IntN(2)], Who: 2 + g.IntN(2), Whom: 1 + g.IntN(3)}
	}
	switch g.IntN(4) {
	case 0:
		return Step{Do: "delete group", Who: 1 + g.IntN(3)}
	case 1:
		return Step{Do: "make group", Who: 1 + g.IntN(3), Text: "1 2 3 5 8 13"}
	case 2:
		return Step{Do: "empty group", Who: 1 + g.IntN(3)}
	}
	return Step{Do: "redepartment", Text: []string{"Sales", "Legal"}[g.IntN(2)]}
}

func (g *generator) targetAct() Step {
	names := []string{"target block", "target unblock", "target edit", "target delete", "target restore", "target purge", "target redeem",
		"target redeem", "target invite", "target internalize", "target role", "target native", "target contact", "target group", "target closes", "target opens"}
	s := Step{Do: names[g.IntN(len(names))], Who: g.who()}
	if s.Do == "target edit" {
		s.Text = []string{"city=Elsewhere", "jobTitle=King", "displayName=Changed"}[g.IntN(3)]
	}
	return s
}

func (g *generator) operatorAct() Step {
	switch g.IntN(12) {
	case 0, 1:
		s := g.settings()
		return Step{Do: "configure", Job: &s}
	case 2:
		return Step{Do: "allow"}
	case 3:
		return Step{Do: "reject"}
	case 4:
		return Step{Do: "retry"}
	case 5, 6, 7:
		return Step{Do: "provision", Who: g.who()}
	case 8:
		return Step{Do: "provision", Who: g.who(), Text: "restore"}
	case 9:
		return Step{Do: "plan"}
	case 10:
		return Step{Do: "new process"}
	}
	return Step{Do: "restart"}
}

// trouble adds something that goes wrong in the next cycle.
func (g *generator) trouble() {
	switch g.IntN(8) {
	case 0, 1, 2:
		g.add(Step{Do: []string{"crash before commit", "crash after commit"}[g.IntN(2)], At: 1 + g.IntN(12)})
	case 3, 4:
		g.add(Step{Do: []string{"crash before request", "crash after request"}[g.IntN(2)], At: 1 + g.IntN(30)})
	case 5:
		g.add(Step{Do: "disk full", At: 1 + g.IntN(12), Who: 1 + g.IntN(3)})
	case 6:
		g.add(Step{Do: "stop", At: 1 + g.IntN(30)})
	case 7:
		g.add(Step{Do: "expire"})
	}
	for g.one(2) {
		g.add(Step{Do: "fault", Fault: g.fault()})
	}
}

// presets are the ready-made faults that pass by themselves.
var presets = []string{"throttled", "throttledSilently", "throttledFraction", "unavailable", "gateway", "emptyError", "lostAnswer", "reset",
	"invitationHiccup", "notReplicated", "resync", "resyncBadRequest", "resyncEmpty", "tokenExpired", "claimsChallenge", "duplicates",
	"shuffledBatch", "shuffled", "replayed", "tombstones", "emptyPages", "smallPages"}

func (g *generator) fault() *entrasim.Fault {
	f := &entrasim.Fault{Preset: presets[g.IntN(len(presets))]}
	if g.one(2) {
		f.Tenant = []string{"contoso", "fabrikam"}[g.IntN(2)]
	}
	switch g.IntN(3) {
	case 0:
		f.Nth, f.Times = 1+g.IntN(20), 1+g.IntN(3)
	case 1:
		f.Probability = 0.05 + g.Float64()/3
	case 2:
		f.Nth = 1 + g.IntN(40)
	}
	if g.one(6) {
		f.Preset, f.Method, f.Path = "", "GET", []string{"/users/delta", "/users", "/groups/delta"}[g.IntN(3)]
		switch g.IntN(3) {
		case 0:
			f.Cut = 20 + g.IntN(400)
		case 1:
			f.Truncate = 20 + g.IntN(400)
		case 2:
			f.Round = "dropLink"
		}
	}
	return f
}
