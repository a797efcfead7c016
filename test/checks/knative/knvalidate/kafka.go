package main

// KafkaSource and KafkaSink: types and webhook rules, written out from eventing-kafka-broker
// (control-plane/pkg/apis/sources/v1, control-plane/pkg/apis/eventing/v1alpha1) as of the v0.50 line. Sink, overrides and delivery
// are upstream's own types.

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

type kafkaSource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              kafkaSourceSpec `json:"spec,omitempty"`
	Status            map[string]any  `json:"status,omitempty"`
}

type kafkaSourceSpec struct {
	Consumers         *int32         `json:"consumers,omitempty"`
	BootstrapServers  []string       `json:"bootstrapServers"`
	Net               kafkaNet       `json:"net,omitempty"`
	Topics            []string       `json:"topics"`
	ConsumerGroup     string         `json:"consumerGroup,omitempty"`
	InitialOffset     string         `json:"initialOffset,omitempty"`
	Delivery          *kafkaDelivery `json:"delivery,omitempty"`
	Ordering          *string        `json:"ordering,omitempty"`
	duckv1.SourceSpec `json:",inline"`
}

// kafkaDelivery is what the CRD has of a delivery section: no format.
type kafkaDelivery struct {
	DeadLetterSink *duckv1.Destination             `json:"deadLetterSink,omitempty"`
	Retry          *int32                          `json:"retry,omitempty"`
	Timeout        *string                         `json:"timeout,omitempty"`
	BackoffPolicy  *eventingduck.BackoffPolicyType `json:"backoffPolicy,omitempty"`
	BackoffDelay   *string                         `json:"backoffDelay,omitempty"`
	RetryAfterMax  *string                         `json:"retryAfterMax,omitempty"`
}

type secretReference struct {
	SecretKeyRef *struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	} `json:"secretKeyRef,omitempty"`
}

type kafkaNet struct {
	TLS struct {
		Enable bool            `json:"enable,omitempty"`
		Cert   secretReference `json:"cert,omitempty"`
		Key    secretReference `json:"key,omitempty"`
		CACert secretReference `json:"caCert,omitempty"`
	} `json:"tls,omitempty"`
	SASL struct {
		Enable        bool            `json:"enable,omitempty"`
		User          secretReference `json:"user,omitempty"`
		Password      secretReference `json:"password,omitempty"`
		Type          secretReference `json:"type,omitempty"`
		TokenProvider secretReference `json:"tokenProvider,omitempty"`
		RoleARN       secretReference `json:"roleARN,omitempty"`
	} `json:"sasl,omitempty"`
}

func (s *kafkaSource) SetDefaults(ctx context.Context) {
	if s.Spec.ConsumerGroup == "" {
		s.Spec.ConsumerGroup = "knative-kafka-source-" + uuid.NewString()
	}
	if s.Spec.Consumers == nil {
		s.Spec.Consumers = pointer(int32(1))
	}
	if s.Spec.InitialOffset == "" {
		s.Spec.InitialOffset = "latest"
	}
	if s.Spec.Ordering == nil {
		s.Spec.Ordering = pointer("ordered")
	}
	s.Spec.Sink.SetDefaults(apis.WithinParent(ctx, s.ObjectMeta))
}

func (s *kafkaSource) Validate(ctx context.Context) *apis.FieldError {
	errs := s.Spec.validate(ctx).ViaField("spec")
	if before, isUpdate := apis.GetBaseline(ctx).(*kafkaSource); isUpdate && before.Spec.ConsumerGroup != s.Spec.ConsumerGroup {
		errs = errs.Also(&apis.FieldError{
			Message: "Immutable fields changed",
			Paths:   []string{"spec.consumerGroup"},
			Details: fmt.Sprintf("%q is now %q", before.Spec.ConsumerGroup, s.Spec.ConsumerGroup),
		})
	}
	return errs
}

func (s *kafkaSourceSpec) validate(ctx context.Context) *apis.FieldError {
	errs := s.SourceSpec.Validate(ctx)
	if len(s.Topics) == 0 {
		errs = errs.Also(apis.ErrMissingField("topics"))
	}
	if len(s.BootstrapServers) == 0 {
		errs = errs.Also(apis.ErrMissingField("bootstrapServers"))
	}
	if s.InitialOffset != "earliest" && s.InitialOffset != "latest" {
		errs = errs.Also(apis.ErrInvalidValue(s.InitialOffset, "initialOffset"))
	}
	if s.Ordering != nil && *s.Ordering != "ordered" && *s.Ordering != "unordered" {
		errs = errs.Also(apis.ErrInvalidValue(*s.Ordering, "ordering"))
	}
	if s.Consumers != nil && *s.Consumers < 0 {
		errs = errs.Also(apis.ErrInvalidValue(*s.Consumers, "consumers"))
	}
	return errs.Also(s.Delivery.warn(ctx).ViaField("delivery").At(apis.WarningLevel))
}

// warn says what upstream would refuse of a Broker: the webhook of KafkaSource never looks at its delivery section.
func (d *kafkaDelivery) warn(ctx context.Context) *apis.FieldError {
	if d == nil {
		return nil
	}
	spec := &eventingduck.DeliverySpec{
		DeadLetterSink: d.DeadLetterSink, Retry: d.Retry, Timeout: d.Timeout,
		BackoffPolicy: d.BackoffPolicy, BackoffDelay: d.BackoffDelay,
	}
	errs := spec.Validate(ctx)
	if d.Retry == nil {
		errs = errs.Also(&apis.FieldError{Message: "no retry means no retries at all", Paths: []string{"retry"}})
	}
	if d.RetryAfterMax != nil {
		errs = errs.Also(&apis.FieldError{Message: "ignored by the data plane", Paths: []string{"retryAfterMax"}})
	}
	return errs
}

type kafkaSink struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              kafkaSinkSpec  `json:"spec,omitempty"`
	Status            map[string]any `json:"status,omitempty"`
}

type kafkaSinkSpec struct {
	Topic             string   `json:"topic"`
	NumPartitions     *int32   `json:"numPartitions,omitempty"`
	ReplicationFactor *int16   `json:"replicationFactor,omitempty"`
	BootstrapServers  []string `json:"bootstrapServers"`
	ContentMode       *string  `json:"contentMode,omitempty"`
	Auth              *struct {
		Secret *struct {
			Ref *struct {
				Name string `json:"name"`
			} `json:"ref"`
		} `json:"secret,omitempty"`
	} `json:"auth,omitempty"`
}

func (s *kafkaSink) SetDefaults(context.Context) {
	if s.Spec.ContentMode == nil || *s.Spec.ContentMode == "" {
		s.Spec.ContentMode = pointer("structured")
	}
}

func (s *kafkaSink) Validate(ctx context.Context) *apis.FieldError {
	var errs *apis.FieldError
	if s.Spec.Topic == "" {
		errs = errs.Also(apis.ErrMissingField("topic"))
	}
	if len(s.Spec.BootstrapServers) == 0 {
		errs = errs.Also(apis.ErrMissingField("bootstrapServers"))
	}
	if mode := *s.Spec.ContentMode; mode != "binary" && mode != "structured" {
		errs = errs.Also(apis.ErrInvalidValue(mode, "contentMode"))
	}
	errs = errs.ViaField("spec")
	if before, isUpdate := apis.GetBaseline(ctx).(*kafkaSink); isUpdate && before.Spec.Topic != s.Spec.Topic {
		errs = errs.Also(&apis.FieldError{Message: "Immutable fields changed", Paths: []string{"spec.topic"}})
	}
	return errs
}

func pointer[T any](value T) *T { return &value }
