package bolt

import "testing"

func TestNetworkFileSystemsAreKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number  uint32
		release string
		want    Medium
	}{
		"NFS":                   {0x6969, "6.1.0", Medium{Type: "nfs", Network: true, Free: 7}},
		"SMB":                   {0xFE534D42, "6.1.0", Medium{Type: "smb2", Network: true, Free: 7}},
		"ext4":                  {ext4, "6.1.0", Medium{Type: "ext4", Free: 7}},
		"ext4 on an old kernel": {ext4, "5.10.93", Medium{Type: "ext4", FastCommit: true, Free: 7}},
		"ext4, kernel unknown":  {ext4, "", Medium{Type: "ext4", Free: 7}},
		"tmpfs":                 {0x01021994, "5.10.93", Medium{Free: 7}},
	} {
		if got := medium(c.number, 7, c.release); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if m := MediumOf(t.TempDir()); m.Free <= 0 {
		t.Errorf("this file system: got %+v, want its free space", m)
	}
}
