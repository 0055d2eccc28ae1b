package engine

import (
	"context"
	"errors"

	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// AppRoles returns the app roles of a source user, sorted, in the form in which
// expressions read them from [attribute.AppRoles]: by the assignments of this
// moment, and also where no mapping of the job reads them yet.
func (e *Engine) AppRoles(ctx context.Context, user, job string) ([]string, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	if r.job.Scope.ServicePrincipal == "" || r.job.Scope.All {
		return nil, &Error{Class: ClassUsage, Code: "NoAppRoles", Message: "job " + r.job.Name + " has no app roles.",
			Cause:  "its users are not assigned through an application",
			Action: "name the application with scope.servicePrincipalId"}
	}
	reading := *r.job
	if reading.Mapping, err = roleReader(); err != nil {
		return nil, err
	}
	c, err := e.onDemand(ctx, &runner{job: &reading})
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	o, err := e.findOne(ctx, r.job, user)
	if err != nil {
		return nil, err
	}
	if _, err := c.present(ctx, []string{o.ID}); err != nil {
		return nil, e.jobError(r.job, err)
	}
	roles := c.presentRoles[o.ID]
	return roles.List(), nil
}

// roleReader is a schema that does nothing but read app roles.
func roleReader() (*mapping.Schema, error) {
	schema, problems := mapping.Compile([]mapping.Mapping{{Target: "businessPhones", Expression: "AppRoleAssignmentsComplex([" + attribute.AppRoles + "])"}})
	if schema == nil {
		return nil, errors.New(problems[0].Message)
	}
	return schema, nil
}
