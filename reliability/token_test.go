package reliability_test

import (
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// invitedOnce expects each of n people to have been invited once.
func (l *life) invitedOnce(n int) {
	l.Helper()
	if got := l.fabrikam.Counts().Writes["invite"]; got != n {
		l.Errorf("invitations: got %d, want %d", got, n)
	}
	l.equal()
}

// A cycle that lasts longer than its tokens renews them on the way.
func TestTokensExpireDuringACycle(t *testing.T) {
	live(t, "", entrasim.Options{TokenLife: 10 * time.Minute}, func(l *life) {
		l.hired(1, 200)
		l.cloud.SetFaults([]entrasim.Fault{{Path: "/$batch", Item: "outer", Delay: entrasim.Duration(150 * time.Second)}})
		r := l.sync(store.OutcomeSuccess)
		if took := r.EndedAt.Sub(r.StartedAt); took < 40*time.Minute {
			l.Errorf("the cycle took %v, want it to outlast its tokens several times", took)
		}
		if r.Summary.Failed != 0 {
			l.Errorf("summary: got %+v, want no failure", r.Summary)
		}
		l.invitedOnce(200)
	})
}

// A 401 in the middle is believed, whatever the clock says of the token: one
// renewal, and the cycle goes on.
func TestTokenRefusedOnce(t *testing.T) {
	live(t, "", entrasim.Options{}, func(l *life) {
		l.hired(1, 100)
		l.cloud.SetFaults([]entrasim.Fault{{Preset: "tokenExpired", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 4},
			{Preset: "tokenExpired", Tenant: "contoso", Path: "/users/delta", Nth: 1}})
		if r := l.sync(store.OutcomeSuccess); r.Summary.Create != 100 || r.Summary.Failed != 0 {
			l.Errorf("summary: got %+v, want 100 created", r.Summary)
		}
		l.invitedOnce(100)
	})
}

// A credential that is refused for good stops the job in the middle of its
// writes: intents stay, it asks ever less often, says what is wrong, and goes on
// by itself when the credential works again.
func TestCredentialRefusedForDays(t *testing.T) {
	live(t, "", entrasim.Options{}, func(l *life) {
		l.hired(1, 100)
		// The answer to the second batch of invitations is lost, and from then on the
		// credential is refused: whether those people are there cannot be asked.
		l.cloud.SetFaults([]entrasim.Fault{{Preset: "lostAnswer", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 4},
			{Preset: "tokenExpired", Tenant: "fabrikam", Item: "outer", Nth: 8, Times: 1 << 30}})
		l.daemon(func() {
			time.Sleep(time.Minute)
			s := l.status()
			if s.State != "Quarantine" || s.Quarantine.Reason != string(engine.CodeConnection) || s.LastCycle.Outcome != store.OutcomeFailed {
				l.Errorf("status: got %s, %+v, want Quarantine after a failed cycle", s.State, s.LastCycle)
			}
			if w := l.waiting(); len(w.Intents) == 0 {
				l.Error("intents: got none, want those of the batch whose answer was lost")
			}
			time.Sleep(3 * 24 * time.Hour)
			if got := len(l.cycles(time.Time{})); got < 5 || got > 12 {
				l.Errorf("attempts in three days: got %d, want 5 to 12", got)
			}
			invited := l.fabrikam.Counts().Writes["invite"]
			if invited == 0 || invited == 100 {
				l.Errorf("invited meanwhile: got %d, want those before the refusal", invited)
			}
			l.cloud.SetFaults(nil)
			time.Sleep(25 * time.Hour)
			if s := l.status(); s.State != "Active" {
				l.Errorf("a day after the credential works again: got %s, want Active", s.State)
			}
		})
		if w := l.waiting(); len(w.Intents) != 0 {
			l.Errorf("intents: got %d, want none", len(w.Intents))
		}
		l.invitedOnce(100)
	})
}
