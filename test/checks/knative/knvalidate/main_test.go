package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fixtures = "../../../fixtures/knative"

func knvalidate(t *testing.T, in string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(args, strings.NewReader(in), &out, &out)
	return code, out.String()
}

// Each planted breach says in its first line who catches it.
func TestPlantedBreachesAreRefused(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatalf("only %d files: %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(content), "\n")
		want := 0
		if strings.Contains(first, "knvalidate") {
			want = 1
		}
		if code, out := knvalidate(t, "", file); code != want {
			t.Errorf("%s: exit %d, wanted %d:\n%s", filepath.Base(file), code, want, out)
		}
	}
}

const source = `apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: { name: orders }
spec:
  bootstrapServers: [kafka:9092]
  topics: [orders]
  consumerGroup: GROUP
  sink: { uri: http://orders }
`

func TestTheConsumerGroupOfASourceStays(t *testing.T) {
	before := filepath.Join(t.TempDir(), "before.yaml")
	if err := os.WriteFile(before, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := knvalidate(t, source, "-baseline", before, "-"); code != 0 {
		t.Errorf("unchanged: exit %d: %s", code, out)
	}
	changed := strings.Replace(source, "GROUP", "another", 1)
	if code, out := knvalidate(t, changed, "-baseline", before, "-"); code != 1 || !strings.Contains(out, "spec.consumerGroup") {
		t.Errorf("changed: exit %d: %s", code, out)
	}
}

func TestFeaturesAndDefaultsOfTheClusterAreHeeded(t *testing.T) {
	gate := filepath.Join(fixtures, "closed-feature-gate.yaml")
	if code, out := knvalidate(t, "", "-features", "kubernetes.podspec-nodeselector=enabled", gate); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	long := filepath.Join(fixtures, "timeout-above-maximum.yaml")
	if code, out := knvalidate(t, "", "-defaults", "max-revision-timeout-seconds=900", long); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	insecure := filepath.Join(fixtures, "insecure-container.yaml")
	if code, out := knvalidate(t, "", "-pod-security", "baseline", insecure); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestDeliveryIsWarnedOf(t *testing.T) {
	code, out := knvalidate(t, source+"  delivery: { backoffDelay: 1s, retryAfterMax: PT5M }\n", "-")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"spec.delivery.retry", "spec.delivery.retryAfterMax", "spec.delivery.backoffDelay", "1 objects", "0 errors"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

func TestDefaultsArePrinted(t *testing.T) {
	_, out := knvalidate(t, source, "-print", "-")
	for _, want := range []string{"initialOffset: latest", "ordering: ordered", "consumers: 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

func TestWrongUseAndNothingReadAreNoSuccess(t *testing.T) {
	for _, args := range [][]string{{}, {"-unknown"}, {"/there/is/no/such"}, {t.TempDir()}, {"-features", "x", "-"}} {
		if code, out := knvalidate(t, "", args...); code != 2 {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
}
