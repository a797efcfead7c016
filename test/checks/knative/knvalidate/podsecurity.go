package main

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// podOf is the pod that an object leads to.
func podOf(object any) (*metav1.ObjectMeta, *corev1.PodSpec) {
	switch o := object.(type) {
	case *servingv1.Service:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec.PodSpec
	case *servingv1.Configuration:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec.PodSpec
	case *servingv1.Revision:
		return &o.ObjectMeta, &o.Spec.PodSpec
	case *corev1.Pod:
		return &o.ObjectMeta, &o.Spec
	case *appsv1.Deployment:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	case *appsv1.StatefulSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	case *appsv1.DaemonSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	case *batchv1.Job:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template.ObjectMeta, &o.Spec.JobTemplate.Spec.Template.Spec
	}
	return nil, nil
}

// podFaults are what Pod Security Admission refuses at that level, and beyond it a root file system that can be written.
func podFaults(level string, object any) ([]error, error) {
	meta, spec := podOf(object)
	if spec == nil {
		return nil, nil
	}
	parsed, err := podsecurity.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	var faults []error
	at := podsecurity.LevelVersion{Level: parsed, Version: podsecurity.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(at, meta, spec) {
		if !result.Allowed {
			faults = append(faults, fmt.Errorf("pod security %s: %s: %s", level, result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	if parsed == podsecurity.LevelRestricted {
		for _, container := range append(spec.InitContainers, spec.Containers...) {
			if c := container.SecurityContext; c == nil || c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
				faults = append(faults, fmt.Errorf("container %q has no readOnlyRootFilesystem: true", container.Name))
			}
		}
	}
	return faults, nil
}
