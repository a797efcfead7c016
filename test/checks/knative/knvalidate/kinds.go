package main

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	flowsv1 "knative.dev/eventing/pkg/apis/flows/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	"knative.dev/pkg/apis"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	servingv1beta1 "knative.dev/serving/pkg/apis/serving/v1beta1"
)

// resource is what Knative's webhooks do to an object.
type resource interface {
	apis.Defaultable
	apis.Validatable
}

var knativeKinds = map[schema.GroupVersionKind]func() resource{
	gvk("serving.knative.dev/v1", "Service"):            func() resource { return &servingv1.Service{} },
	gvk("serving.knative.dev/v1", "Configuration"):      func() resource { return &servingv1.Configuration{} },
	gvk("serving.knative.dev/v1", "Revision"):           func() resource { return &servingv1.Revision{} },
	gvk("serving.knative.dev/v1", "Route"):              func() resource { return &servingv1.Route{} },
	gvk("serving.knative.dev/v1beta1", "DomainMapping"): func() resource { return &servingv1beta1.DomainMapping{} },
	gvk("eventing.knative.dev/v1", "Broker"):            func() resource { return &eventingv1.Broker{} },
	gvk("eventing.knative.dev/v1", "Trigger"):           func() resource { return &eventingv1.Trigger{} },
	gvk("messaging.knative.dev/v1", "Channel"):          func() resource { return &messagingv1.Channel{} },
	gvk("messaging.knative.dev/v1", "Subscription"):     func() resource { return &messagingv1.Subscription{} },
	gvk("flows.knative.dev/v1", "Sequence"):             func() resource { return &flowsv1.Sequence{} },
	gvk("flows.knative.dev/v1", "Parallel"):             func() resource { return &flowsv1.Parallel{} },
	gvk("sources.knative.dev/v1", "PingSource"):         func() resource { return &sourcesv1.PingSource{} },
	gvk("sources.knative.dev/v1", "ApiServerSource"):    func() resource { return &sourcesv1.ApiServerSource{} },
	gvk("sources.knative.dev/v1", "SinkBinding"):        func() resource { return &sourcesv1.SinkBinding{} },
	gvk("sources.knative.dev/v1", "ContainerSource"):    func() resource { return &sourcesv1.ContainerSource{} },
	gvk("sources.knative.dev/v1", "KafkaSource"):        func() resource { return &kafkaSource{} },
	gvk("sources.knative.dev/v1beta1", "KafkaSource"):   func() resource { return &kafkaSource{} },
	gvk("eventing.knative.dev/v1alpha1", "KafkaSink"):   func() resource { return &kafkaSink{} },
}

func gvk(apiVersion, kind string) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// newKubernetesObject is one of Kubernetes' own kinds, which is decoded strictly and no more.
func newKubernetesObject(kind schema.GroupVersionKind) (any, bool) {
	object, err := scheme.Scheme.New(kind)
	return object, err == nil
}
