// knvalidate validates manifests as a cluster with Knative would, without one: strict decoding (unknown and doubled fields), then
// upstream's own SetDefaults and Validate; for KafkaSource and KafkaSink, whose module is in no registry, the rules of their webhooks
// written out; for every pod the restricted standard of Pod Security Admission.
//
//	knvalidate [-features k=v,…] [-defaults k=v,…] [-eventing-features k=v,…] [-baseline FILE] [-pod-security LEVEL] [-print] FILE|DIR|-…
//
// A line for each finding, and at the end what was read. Exit 0: valid, 1: not so, 2: called wrongly or nothing read.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	servingconfig "knative.dev/serving/pkg/apis/config"

	"knative.dev/eventing/pkg/apis/feature"
	autoscalerconfig "knative.dev/serving/pkg/autoscaler/config"
)

type options struct {
	features, defaults, eventingFeatures settings
	baseline, podSecurity                string
	print                                bool
}

// settings are the entries of one of Knative's ConfigMaps, as k=v,….
type settings map[string]string

func (s settings) String() string { return "" }

func (s settings) Set(text string) error {
	for _, pair := range strings.Split(text, ",") {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			return fmt.Errorf("%q: expected k=v", pair)
		}
		s[key] = value
	}
	return nil
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in io.Reader, out, problems io.Writer) int {
	o := options{features: settings{}, defaults: settings{}, eventingFeatures: settings{}}
	flags := flag.NewFlagSet("knvalidate", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Var(o.features, "features", "entries of knative-serving/config-features")
	flags.Var(o.defaults, "defaults", "entries of knative-serving/config-defaults")
	flags.Var(o.eventingFeatures, "eventing-features", "entries of knative-eventing/config-features")
	flags.StringVar(&o.baseline, "baseline", "", "what the cluster has now: the files are judged as updates of it")
	flags.StringVar(&o.podSecurity, "pod-security", "restricted", "pod security standard: restricted, baseline or privileged")
	flags.BoolVar(&o.print, "print", false, "print the objects with what the webhooks fill in")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, err := o.context()
	if err == nil && flags.NArg() == 0 {
		err = fmt.Errorf("expected files, folders or -")
	}
	if err != nil {
		fmt.Fprintln(problems, "knvalidate:", err)
		return 2
	}
	report, err := validateAll(ctx, o, flags.Args(), in, out)
	if err == nil && report.objects == 0 {
		err = fmt.Errorf("nothing was read")
	}
	if err != nil {
		fmt.Fprintln(problems, "knvalidate:", err)
		return 2
	}
	fmt.Fprintln(out, report)
	if report.errors > 0 {
		return 1
	}
	return 0
}

// context carries the settings of the cluster, as the webhooks' stores do.
func (o options) context() (context.Context, error) {
	features, err := servingconfig.NewFeaturesConfigFromMap(o.features)
	if err != nil {
		return nil, err
	}
	defaults, err := servingconfig.NewDefaultsConfigFromMap(o.defaults)
	if err != nil {
		return nil, err
	}
	autoscaler, err := autoscalerconfig.NewConfigFromMap(map[string]string{})
	if err != nil {
		return nil, err
	}
	flags, err := feature.NewFlagsConfigFromMap(o.eventingFeatures)
	if err != nil {
		return nil, err
	}
	ctx := servingconfig.ToContext(context.Background(), &servingconfig.Config{
		Features: features, Defaults: defaults, Autoscaler: autoscaler,
	})
	return feature.ToContext(ctx, flags), nil
}
