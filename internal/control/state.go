package control

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"tenantsync/store"
)

// A backup is answered with the bytes of the copy, and, behind them as trailers,
// its SHA-256 and its facts: only who has both knows that all of it arrived.
const (
	sumTrailer   = "Tenantsync-Sha256"
	factsTrailer = "Tenantsync-Facts" // JSON in base64
)

func (h *Handler) stateRoutes() {
	handle(h, "state", func(ctx context.Context, s Service, _ struct{}) (*store.Facts, error) { return s.CheckState(ctx) })
	serve(h, "backup", nil, backup)
}

// backup sends a copy of the state file as fast as the client takes it.
func backup(w http.ResponseWriter, r *http.Request, s Service, _ struct{}) {
	limits := http.NewResponseController(w)
	// A client that stops taking it is not waited for.
	sent := &summing{w: w, sum: sha256.New(), before: func() { _ = limits.SetWriteDeadline(time.Now().Add(writeTimeout)) }}
	w.Header().Set("Content-Type", "application/octet-stream")
	facts, err := s.BackUp(r.Context(), sent)
	var told []byte
	if err == nil {
		told, err = json.Marshal(facts)
	}
	switch {
	case err == nil:
		w.Header().Set(http.TrailerPrefix+sumTrailer, hex.EncodeToString(sent.sum.Sum(nil)))
		w.Header().Set(http.TrailerPrefix+factsTrailer, base64.StdEncoding.EncodeToString(told))
	case !sent.begun:
		answer(w, http.StatusUnprocessableEntity, envelope[struct{}]{Error: toWire(err)})
	}
}

// summing adds up what goes through it.
type summing struct {
	w     io.Writer
	sum   hash.Hash
	begun bool
	// before is called before each write, if it is set.
	before func()
}

// Write implements io.Writer.
func (s *summing) Write(b []byte) (int, error) {
	s.begun = true
	if s.before != nil {
		s.before()
	}
	s.sum.Write(b)
	return s.w.Write(b)
}

// CheckState implements Service.
func (c *Client) CheckState(ctx context.Context) (*store.Facts, error) {
	return call[store.Facts](ctx, c, "state", struct{}{})
}

// BackUp implements Service.
func (c *Client) BackUp(ctx context.Context, w io.Writer) (*store.Facts, error) {
	response, err := c.send(ctx, http.MethodPost, "backup", struct{}{}, "")
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var e envelope[struct{}]
		if err := json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(&e); err != nil || e.Error == nil {
			return nil, c.lost(ctx, fmt.Errorf("answered %s", response.Status))
		}
		return nil, fromWire(e.Error)
	}
	got := &summing{w: w, sum: sha256.New()}
	if _, err := io.Copy(got, response.Body); err != nil {
		return nil, c.lost(ctx, err)
	}
	told, err := base64.StdEncoding.DecodeString(response.Trailer.Get(factsTrailer))
	facts := &store.Facts{}
	if err == nil && len(told) > 0 {
		err = json.Unmarshal(told, facts)
	}
	if err != nil || len(told) == 0 || response.Trailer.Get(sumTrailer) != hex.EncodeToString(got.sum.Sum(nil)) {
		return nil, c.lost(ctx, errors.New("the backup did not arrive whole"))
	}
	return facts, nil
}
