package bolt

import (
	"bytes"
	"compress/flate"
	"io"
)

// A log entry is mostly names of fields and sentences that every entry repeats:
// deflated against a dictionary of them it takes a tenth of its size, for some
// microseconds of work. Short texts are left alone.
const (
	packedPlain    = 0
	packedDeflated = 1 // against dictionary

	// deflateFrom is the size from which packing is worth the work.
	deflateFrom = 256
	// inflateLimit bounds what a damaged record can unpack to.
	inflateLimit = 16 << 20
)

// dictionary is what entries have in common, the most frequent last. It is part of
// the format: a change of it needs another packed code.
const dictionary = `"errorInformation":{"errorCode":"","reason":"","additionalDetails":"attempt 1, retried from ","errorCategory":"failure","recommendedAction":""}` +
	`"status":"failure""status":"skipped""status":"warning"{"name":"EntrySynchronizationSkip","provisioningStepType":"processing","status":"skipped","description":"","details":{"ReportableIdentifier":"","SkipReason":"","PropertyName":""}}` +
	`{"name":"EntryReferenceResolution","provisioningStepType":"referenceResolution","status":"success","description":"The manager of '' was written","details":{}}` +
	`{"name":"EntryExportDelete","provisioningStepType":"export","status":"success","description":"User '' was deleted in , restorable until "` +
	`"provisioningAction":"delete""provisioningAction":"disable""provisioningAction":"stagedDelete""provisioningAction":"other"` +
	`{"name":"EntryImportUpdate","provisioningStepType":"import","status":"success","description":"Received a change of user '' from the source tenant","details":{"attributes":"23"}}` +
	`{"name":"EntryImport","provisioningStepType":"matching","status":"success","description":"Linked to target user ","details":{"TargetId":""}}` +
	`{"name":"EntryExportUpdate","provisioningStepType":"export","status":"success","description":"User '' was updated in ","details":{"ReportableIdentifier":""}}` +
	`{"id":"","activityDateTime":"2026-01-01T00:00:00.000000Z","tenantId":"","jobId":"","cycleId":"","changeId":"","provisioningAction":"update","durationInMilliseconds":` +
	`"initiatedBy":{"id":"","displayName":"","initiatorType":"system"},"servicePrincipal":{"id":"","displayName":""},` +
	`"sourceSystem":{"id":"","displayName":"","details":{}},"targetSystem":{"id":"","displayName":"","details":{}},` +
	`"sourceIdentity":{"id":"","displayName":"","identityType":"User","details":{"DisplayName":"","UserPrincipalName":"","id":"","odatatype":"User"}},` +
	`"targetIdentity":{"id":"","displayName":"","identityType":"User","details":{}},"provisioningStatusInfo":{"status":"success","errorInformation":null},` +
	`"provisioningSteps":[{"name":"EntryImportAdd","provisioningStepType":"import","status":"success","description":"Received user '' from the source tenant","details":{"attributes":"23"}},` +
	`{"name":"EntrySynchronizationScoping","provisioningStepType":"scoping","status":"success","description":"The user is in scope","details":` +
	`{"Active in the source system":"True","Assigned to the application":"True","AssignedThrough":"all users","Scoping filter evaluation passed":"True"}},` +
	`{"name":"EntrySynchronizationAdd","provisioningStepType":"matching","status":"success","description":"No user of  matches: the user will be created","details":{}},` +
	`{"name":"EntryExportAdd","provisioningStepType":"export","status":"success","description":"User '' was invited to ","details":{"ReportableIdentifier":"","TargetId":""}},` +
	`{"name":"EntryExportAdd","provisioningStepType":"export","status":"success","description":"User '' was created in ","details":{"ReportableIdentifier":""}}],` +
	`"modifiedProperties":[{"displayName":"accountEnabled","oldValue":null,"newValue":"True"},{"displayName":"businessPhones","oldValue":null,"newValue":""},` +
	`{"displayName":"city","oldValue":null,"newValue":""},{"displayName":"country","oldValue":null,"newValue":""},{"displayName":"department","oldValue":null,"newValue":""},` +
	`{"displayName":"displayName","oldValue":null,"newValue":""},{"displayName":"employeeId","oldValue":null,"newValue":""},{"displayName":"givenName","oldValue":null,"newValue":""},` +
	`{"displayName":"jobTitle","oldValue":null,"newValue":""},{"displayName":"mail","oldValue":null,"newValue":""},{"displayName":"manager","oldValue":null,"newValue":""},` +
	`{"displayName":"officeLocation","oldValue":null,"newValue":""},{"displayName":"postalCode","oldValue":null,"newValue":""},{"displayName":"preferredLanguage","oldValue":null,"newValue":""},` +
	`{"displayName":"showInAddressList","oldValue":null,"newValue":"True"},{"displayName":"state","oldValue":null,"newValue":""},{"displayName":"streetAddress","oldValue":null,"newValue":""},` +
	`{"displayName":"surname","oldValue":null,"newValue":""},{"displayName":"userType","oldValue":null,"newValue":"Member"}]}`

// packer packs texts. It is kept from batch to batch, since a flate.Writer is
// large; one batch is written at a time.
type packer struct {
	w   *flate.Writer
	buf bytes.Buffer
}

// appendPacked appends a text, packed where that makes it shorter.
func (p *packer) appendPacked(b, text []byte) ([]byte, error) {
	if len(text) >= deflateFrom {
		p.buf.Reset()
		var err error
		if p.w == nil {
			p.w, err = flate.NewWriterDict(&p.buf, flate.DefaultCompression, []byte(dictionary))
		} else {
			p.w.Reset(&p.buf)
		}
		if err == nil {
			_, err = p.w.Write(text)
		}
		if err == nil {
			err = p.w.Close()
		}
		if err != nil {
			return nil, err
		}
		if p.buf.Len() < len(text) {
			return append(append(b, packedDeflated), p.buf.Bytes()...), nil
		}
	}
	return append(append(b, packedPlain), text...), nil
}

// unpacker unpacks the texts of one query.
type unpacker struct {
	r   io.ReadCloser
	buf bytes.Buffer
}

// unpack returns the text of what appendPacked wrote; it is valid until the next call.
func (u *unpacker) unpack(b []byte) ([]byte, error) {
	switch {
	case len(b) > 0 && b[0] == packedPlain:
		return b[1:], nil
	case len(b) == 0 || b[0] != packedDeflated:
		return nil, damaged("packed text")
	}
	from := bytes.NewReader(b[1:])
	if u.r == nil {
		u.r = flate.NewReaderDict(from, []byte(dictionary))
	} else if err := u.r.(flate.Resetter).Reset(from, []byte(dictionary)); err != nil {
		return nil, err
	}
	u.buf.Reset()
	n, err := u.buf.ReadFrom(io.LimitReader(u.r, inflateLimit+1))
	if err != nil {
		return nil, damaged("packed text: %v", err)
	}
	if n > inflateLimit {
		return nil, damaged("packed text of more than %d bytes", inflateLimit)
	}
	return u.buf.Bytes(), nil
}
