package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"tenantsync/directory"
	"tenantsync/store"
)

// A job's record has parts of their own for what can be long, so that a commit
// that only moves a cursor does not write it again.
const (
	jobRecord   = 0 // JSON
	jobAssigned = 1
	jobExtra    = 2
	jobRoles    = 3
	jobHeld     = 4
)

func jobKey(job code, part byte) []byte { return append(appendCode(nil, job), part) }

// jobs collects the changes of job records.
func (w *writer) jobs(b *store.Batch) error {
	for _, j := range b.Jobs {
		number, err := w.job(j.Name)
		if err != nil {
			return err
		}
		var extra []string
		if j.Stage != nil {
			stage := *j.Stage
			extra, stage.Extra = stage.Extra, nil
			j.Stage = &stage
		}
		assigned, roles, held := j.Assigned, j.Roles, j.Held
		j.Assigned, j.Roles, j.Held = nil, nil, nil
		record, err := appendJSON(nil, j)
		if err != nil {
			return err
		}
		w.put(inJobs, jobKey(number, jobRecord), record)
		w.putUnlessEmpty(jobKey(number, jobAssigned), len(assigned), func() []byte { return appendAssigned(nil, j.Name, assigned) })
		w.putUnlessEmpty(jobKey(number, jobRoles), len(roles), func() []byte { return appendRoles(nil, roles) })
		w.putUnlessEmpty(jobKey(number, jobHeld), len(held), func() []byte { return appendMarks(nil, held) })
		w.putUnlessEmpty(jobKey(number, jobExtra), len(extra), func() []byte { return appendTexts(nil, extra) })
	}
	return nil
}

func (w *writer) putUnlessEmpty(key []byte, n int, value func() []byte) {
	if n == 0 {
		w.remove(inJobs, key)
		return
	}
	w.put(inJobs, key, value())
}

// Flags of an assigned member.
const (
	assignedGroup   = 1 << iota // the member is a group
	assignedForeign             // the record names another job than the one it belongs to
)

func appendAssigned(b []byte, job string, members []store.Member) []byte {
	b = binary.AppendUvarint(b, uint64(len(members)))
	for _, m := range members {
		var flags byte
		if m.IsGroup {
			flags |= assignedGroup
		}
		if m.Job != job {
			flags |= assignedForeign
		}
		b = append(b, flags)
		if m.Job != job {
			b = directory.AppendText(b, m.Job)
		}
		b = directory.AppendText(b, m.Group)
		b = directory.AppendText(b, m.ID)
	}
	return b
}

func readAssigned(r *reader, job string) []store.Member {
	members := make([]store.Member, r.count())
	for i := range members {
		flags := r.uvarint()
		m := store.Member{Job: job, IsGroup: flags&assignedGroup != 0}
		if flags&assignedForeign != 0 {
			m.Job = r.text()
		}
		m.Group = r.text()
		m.ID = r.text()
		members[i] = m
	}
	return members
}

func appendRoles(b []byte, roles []store.AssignedRole) []byte {
	b = binary.AppendUvarint(b, uint64(len(roles)))
	for _, r := range roles {
		var flags byte
		if r.IsGroup {
			flags |= assignedGroup
		}
		b = directory.AppendText(directory.AppendText(append(b, flags), r.Principal), r.Role)
	}
	return b
}

func readRoles(r *reader) []store.AssignedRole {
	roles := make([]store.AssignedRole, r.count())
	for i := range roles {
		roles[i].IsGroup = r.uvarint()&assignedGroup != 0
		roles[i].Principal = r.text()
		roles[i].Role = r.text()
	}
	return roles
}

// appendMarks appends marks of eight bytes each.
func appendMarks(b []byte, marks []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(marks)))
	for _, m := range marks {
		b = binary.BigEndian.AppendUint64(b, m)
	}
	return b
}

func readMarks(r *reader) []uint64 {
	n := r.count()
	if len(r.b) < 8*n {
		r.fail()
		return nil
	}
	marks := make([]uint64, n)
	for i := range marks {
		marks[i] = binary.BigEndian.Uint64(r.b[8*i:])
	}
	r.b = r.b[8*n:]
	return marks
}

// Job returns a job's record.
func (s *Store) Job(ctx context.Context, name string) (store.Job, error) {
	var found store.Job
	err := s.view(ctx, "read job", func(tx *bbolt.Tx, n *names) error {
		jobs := tx.Bucket(bucketNames[inJobs])
		number, known := n.job(name)
		var record []byte
		if known {
			record = jobs.Get(jobKey(number, jobRecord))
		}
		if record == nil {
			return fmt.Errorf("job %q: %w", name, store.ErrNotFound)
		}
		return readJob(jobs, number, name, record, &found)
	})
	if err != nil {
		return store.Job{}, err
	}
	return found, nil
}

// readJob reads the record of a job and what stands beside it.
func readJob(jobs *bbolt.Bucket, number code, name string, record []byte, found *store.Job) error {
	if err := decodeJSON(record, found); err != nil {
		return err
	}
	if b := jobs.Get(jobKey(number, jobAssigned)); b != nil {
		r := reader{b: b}
		if found.Assigned = readAssigned(&r, name); r.bad {
			return damaged("assignments of job %q", name)
		}
	}
	if b := jobs.Get(jobKey(number, jobRoles)); b != nil {
		r := reader{b: b}
		if found.Roles = readRoles(&r); r.bad {
			return damaged("app roles of job %q", name)
		}
	}
	if b := jobs.Get(jobKey(number, jobHeld)); b != nil {
		r := reader{b: b}
		if found.Held = readMarks(&r); r.bad {
			return damaged("held changes of job %q", name)
		}
	}
	if b := jobs.Get(jobKey(number, jobExtra)); b != nil && found.Stage != nil {
		r := reader{b: b}
		if found.Stage.Extra = r.texts(); r.bad {
			return damaged("ids to read of job %q", name)
		}
	}
	return nil
}
