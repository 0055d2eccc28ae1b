// Package e2e has no code of its own: its tests tell whole stories through the
// built binary, as an administrator lives them. Simulated tenants run in one
// process, tenantsync in others, and between the two stands a wire tap per
// tenant that counts what really went over HTTP.
//
// The tests know nothing of the packages they prove. What a target tenant must
// look like is computed here a second time, from the tenant files alone, and
// compared user by user after every cycle; what a cycle may cost is computed
// from the same model and compared with the summary, with the figures tenantsync
// reports about itself, and with the wire.
//
// TestKilledAnywhere looks into the state file as well, which is what it is about,
// and drives a second build, with the tag "crashpoints", which ends itself at a
// point that its environment names (package crashpoint). TENANTSYNC_KILLS says how
// many processes it kills at least.
//
// TestStory tells the main story on a dozen people of testdata/e2e. TestCongress
// tells it on seven snapshots of a real directory, which are not part of the
// repository: it looks for data/congress in the folder that TENANTSYNC_SHARED
// names, or in ../shared beside the repository, and is skipped, saying so, where
// neither is there. A folder that is named and lacks the data fails the test.
package e2e
