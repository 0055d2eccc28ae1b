package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tenantsync/store"
)

// entraFiles are the names of the admin centre's CSV download: the log without
// steps and properties, and these two apart, joined on the change id.
var entraFiles = [3]string{"ProvisioningLogs.csv", "ProvisioningLogs_ProvisioningSteps.csv", "ProvisioningLogs_ModifiedProperties.csv"}

var (
	entraLogColumns = []string{"id", "activityDateTime", "changeId", "cycleId", "jobId", "tenantId", "provisioningAction",
		"durationInMilliseconds", "status", "errorCode", "reason", "additionalDetails", "errorCategory", "recommendedAction",
		"initiatedById", "initiatedByDisplayName", "initiatorType", "servicePrincipalId", "servicePrincipalDisplayName",
		"sourceSystemId", "sourceSystemDisplayName", "targetSystemId", "targetSystemDisplayName",
		"sourceIdentityId", "sourceIdentityDisplayName", "sourceIdentityType", "sourceIdentityUserPrincipalName",
		"targetIdentityId", "targetIdentityDisplayName", "targetIdentityType", "targetIdentityUserPrincipalName"}
	entraStepColumns     = []string{"changeId", "name", "provisioningStepType", "status", "description", "details"}
	entraPropertyColumns = []string{"changeId", "displayName", "oldValue", "newValue"}
)

// writeEntraCSV writes the three files into dir, each whole or not at all, and
// returns their paths.
func writeEntraCSV(dir string, entries []store.Entry) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("export logs: %w", err)
	}
	writers := [3]func(*csv.Writer){
		func(w *csv.Writer) { writeEntraLogs(w, entries) },
		func(w *csv.Writer) { writeEntraSteps(w, entries) },
		func(w *csv.Writer) { writeEntraProperties(w, entries) },
	}
	var paths []string
	for i, write := range writers {
		path := filepath.Join(dir, entraFiles[i])
		err := writeFile(path, func(out io.Writer) error {
			w := csv.NewWriter(out)
			w.UseCRLF = true // RFC 4180
			write(w)
			w.Flush()
			return w.Error()
		})
		if err != nil {
			return paths, fmt.Errorf("export logs: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// The csv.Writer keeps its first error; the caller asks for it once.

func writeEntraLogs(w *csv.Writer, entries []store.Entry) {
	_ = w.Write(entraLogColumns)
	for i := range entries {
		e := &entries[i]
		info := e.StatusInfo.Error
		if info == nil {
			info = &store.ErrorInfo{}
		}
		_ = w.Write(neutral(e.ID, e.ActivityDateTime.UTC().Format(time.RFC3339Nano), e.ChangeID, e.CycleID, e.JobID, e.TenantID, e.Action,
			strconv.Itoa(e.DurationMS), e.StatusInfo.Status, info.Code, info.Reason, info.AdditionalDetails, info.Category, info.RecommendedAction,
			e.InitiatedBy.ID, e.InitiatedBy.DisplayName, e.InitiatedBy.Type, e.ServicePrincipal.ID, e.ServicePrincipal.DisplayName,
			e.SourceSystem.ID, e.SourceSystem.DisplayName, e.TargetSystem.ID, e.TargetSystem.DisplayName,
			e.SourceIdentity.ID, e.SourceIdentity.DisplayName, e.SourceIdentity.Type, upnOf(e.SourceIdentity),
			e.TargetIdentity.ID, e.TargetIdentity.DisplayName, e.TargetIdentity.Type, upnOf(e.TargetIdentity)))
	}
}

func writeEntraSteps(w *csv.Writer, entries []store.Entry) {
	_ = w.Write(entraStepColumns)
	for i := range entries {
		for _, s := range entries[i].Steps {
			_ = w.Write(neutral(entries[i].ChangeID, s.Name, s.Type, s.Status, s.Description, jsonText(s.Details)))
		}
	}
}

func writeEntraProperties(w *csv.Writer, entries []store.Entry) {
	_ = w.Write(entraPropertyColumns)
	for i := range entries {
		for _, p := range entries[i].Modified {
			_ = w.Write(neutral(entries[i].ChangeID, p.DisplayName, textOr(p.OldValue, ""), textOr(p.NewValue, "")))
		}
	}
}

// neutral makes cells harmless for spreadsheets.
func neutral(cells ...string) []string {
	for i, c := range cells {
		cells[i] = formulaSafe(c)
	}
	return cells
}

// upnOf returns the user principal name of an identity, "" when it is not told.
func upnOf(i store.Identity) string { return i.Details["UserPrincipalName"] }

func textOr(s *string, none string) string {
	if s == nil {
		return none
	}
	return *s
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // maps of strings and log records always marshal
		return ""
	}
	return string(b)
}

// monitorRecord is one row of Azure Monitor's AADProvisioningLogs table; its
// compound columns hold JSON as text.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/aadprovisioninglogs
type monitorRecord struct {
	TimeGenerated      time.Time
	Type               string
	Category           string
	OperationName      string
	AADTenantID        string `json:"AADTenantId"`
	ID                 string `json:"Id"`
	Action             string
	ResultType         string
	ResultSignature    string
	ResultDescription  string
	DurationMs         int
	JobID              string `json:"JobId"`
	CycleID            string `json:"CycleId"`
	ChangeID           string `json:"ChangeId"`
	InitiatedBy        string
	ServicePrincipal   string
	SourceSystem       string
	TargetSystem       string
	SourceIdentity     string
	TargetIdentity     string
	ModifiedProperties string
	ProvisioningSteps  string
}

// monitorOf converts an entry. ResultSignature and ResultDescription are empty
// where nothing went wrong.
func monitorOf(e *store.Entry) monitorRecord {
	r := monitorRecord{
		TimeGenerated: e.ActivityDateTime.UTC(), Type: "AADProvisioningLogs", Category: "ProvisioningLogs", OperationName: "Provisioning activity",
		AADTenantID: e.TenantID, ID: e.ID, Action: e.Action, ResultType: e.StatusInfo.Status, DurationMs: e.DurationMS,
		JobID: e.JobID, CycleID: e.CycleID, ChangeID: e.ChangeID,
		InitiatedBy: jsonText(e.InitiatedBy), ServicePrincipal: jsonText(e.ServicePrincipal),
		SourceSystem: jsonText(e.SourceSystem), TargetSystem: jsonText(e.TargetSystem),
		SourceIdentity: jsonText(e.SourceIdentity), TargetIdentity: jsonText(e.TargetIdentity),
		ModifiedProperties: jsonText(e.Modified), ProvisioningSteps: jsonText(e.Steps),
	}
	if info := e.StatusInfo.Error; info != nil {
		r.ResultSignature, r.ResultDescription = info.Code, info.Reason
	}
	return r
}
