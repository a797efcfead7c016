package main

import (
	"context"
	"fmt"
	"io"

	"knative.dev/pkg/apis"
	"sigs.k8s.io/yaml"
)

// report is what was read and found.
type report struct {
	objects, validated, decoded, unknown, errors, warnings int
}

func (r report) String() string {
	return fmt.Sprintf("knvalidate: %d objects: %d validated, %d decoded, %d of kinds not known here; %d errors, %d warnings",
		r.objects, r.validated, r.decoded, r.unknown, r.errors, r.warnings)
}

type validation struct {
	options  options
	baseline map[string]document
	out      io.Writer
	report   report
}

func validateAll(ctx context.Context, o options, paths []string, in io.Reader, out io.Writer) (report, error) {
	v := &validation{options: o, out: out, baseline: map[string]document{}}
	if o.baseline != "" {
		before, err := readDocuments(o.baseline, in)
		if err != nil {
			return v.report, err
		}
		for _, d := range before {
			v.baseline[d.key()] = d
		}
	}
	for _, path := range paths {
		documents, err := readDocuments(path, in)
		if err != nil {
			return v.report, err
		}
		for _, d := range documents {
			if err := v.validate(ctx, d); err != nil {
				return v.report, err
			}
		}
	}
	return v.report, nil
}

func (v *validation) validate(ctx context.Context, d document) error {
	v.report.objects++
	var object any
	if make, known := knativeKinds[d.gvk()]; known {
		v.report.validated++
		resource := make()
		for _, err := range d.decodeStrictly(resource) {
			v.fail(d, err)
		}
		object = resource
		v.applyWebhooks(ctx, d, resource)
	} else if made, known := newKubernetesObject(d.gvk()); known {
		v.report.decoded++
		for _, err := range d.decodeStrictly(made) {
			v.fail(d, err)
		}
		object = made
	} else {
		v.report.unknown++
		return nil
	}
	faults, err := podFaults(v.options.podSecurity, object)
	for _, fault := range faults {
		v.fail(d, fault)
	}
	if err == nil && v.options.print {
		err = v.print(object)
	}
	return err
}

// applyWebhooks does what the API server has the webhooks do: defaults first, then validation of what came of it.
func (v *validation) applyWebhooks(ctx context.Context, d document, object resource) {
	if before, isUpdate := v.baseline[d.key()]; isUpdate {
		old := knativeKinds[d.gvk()]()
		before.decodeStrictly(old)
		old.SetDefaults(apis.WithinCreate(ctx))
		ctx = apis.WithinUpdate(ctx, old)
	} else {
		ctx = apis.WithinCreate(ctx)
	}
	object.SetDefaults(ctx)
	errs := object.Validate(ctx)
	if refused := errs.Filter(apis.ErrorLevel); refused != nil {
		for _, err := range refused.WrappedErrors() {
			v.fail(d, err)
		}
	}
	if warned := errs.Filter(apis.WarningLevel); warned != nil {
		for _, err := range warned.WrappedErrors() {
			v.report.warnings++
			fmt.Fprintf(v.out, "%s: warning: %v\n", d, err)
		}
	}
}

func (v *validation) fail(d document, err error) {
	v.report.errors++
	fmt.Fprintf(v.out, "%s: error: %v\n", d, err)
}

func (v *validation) print(object any) error {
	text, err := yaml.Marshal(object)
	if err == nil {
		_, err = fmt.Fprintf(v.out, "---\n%s", text)
	}
	return err
}
