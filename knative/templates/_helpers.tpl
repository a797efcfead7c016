{{/* The functions: what sluice render wrote, with what an operator changed. */}}
{{- define "sluice.functions" -}}
{{- $generated := (.Files.Get "files/functions.yaml" | fromYaml).functions -}}
{{- range $name, $override := .Values.functions -}}
{{- if not (hasKey $generated $name) -}}
{{- fail (printf "functions.%s: there is no function of this name; there are %s" $name (keys $generated | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- $functions := mergeOverwrite $generated (deepCopy .Values.functions) -}}
{{- range $name, $f := $functions -}}
{{- if eq ($f.enabled | toString) "false" -}}{{- $_ := unset $functions $name -}}{{- end -}}
{{- end -}}
{{- toYaml $functions -}}
{{- end -}}

{{- define "sluice.topics" -}}
{{- toYaml (.Files.Get "files/functions.yaml" | fromYaml).topics -}}
{{- end -}}

{{- define "sluice.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository is required: where the image of the functions is" $image.repository -}}
{{- if $image.digest -}}{{ $repository }}@{{ $image.digest }}{{- else -}}{{ $repository }}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "sluice.bootstrapServers" -}}
{{- if not .Values.kafka.bootstrapServers -}}{{- fail "kafka.bootstrapServers is required: a list of host:port" -}}{{- end -}}
{{- join "," .Values.kafka.bootstrapServers -}}
{{- end -}}

{{/* Of everything. With a function: dict "root" $ "function" $name. */}}
{{- define "sluice.labels" -}}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .function }}
app.kubernetes.io/name: {{ . }}
sluice.dev/function: {{ . }}
{{- end }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of pods, and what selects them: nothing that changes with a version, or each would make a new revision. */}}
{{- define "sluice.podLabels" -}}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/name: {{ . }}
app.kubernetes.io/component: function
sluice.dev/function: {{ . }}
{{- end -}}

{{/* The volume of the authorities that functions trust beside those that everybody knows; empty: there are none. */}}
{{- define "sluice.caVolume" -}}
{{- $kafka := .Values.kafka.tls -}}
{{- if .Values.trustedCa.configMap -}}
name: ca
configMap:
  name: {{ .Values.trustedCa.configMap }}
  items:
    - key: {{ .Values.trustedCa.key }}
      path: ca.crt
{{- else if and $kafka.enabled $kafka.ca.name -}}
name: ca
secret:
  secretName: {{ $kafka.ca.name }}
  items:
    - key: {{ $kafka.ca.key }}
      path: ca.crt
{{- end -}}
{{- end -}}

{{- define "sluice.caMount" -}}
name: ca
mountPath: /etc/sluice/ca
readOnly: true
{{- end -}}

{{/* The settings of every function: the data of the ConfigMap. */}}
{{- define "sluice.settings" -}}
KAFKA_BROKERS: {{ include "sluice.bootstrapServers" . | quote }}
{{- with .Values.kafka }}
{{- if .tls.enabled }}
KAFKA_TLS: "true"
{{- end }}
{{- if .sasl.enabled }}
KAFKA_SASL_MECHANISM: {{ .sasl.mechanism }}
{{- end }}
{{- end }}
{{- if include "sluice.caVolume" . }}
NODE_EXTRA_CA_CERTS: /etc/sluice/ca/ca.crt
{{- end }}
MEMORY_SERVICE_URL: {{ printf "http://memory-service.%s.svc.cluster.local" .Release.Namespace | quote }}
SLUICE_FUNCTION_URL_TEMPLATE: {{ printf "http://{function}.%s.svc.cluster.local" .Release.Namespace | quote }}
SLUICE_HOST: 0.0.0.0
{{- range $name, $value := .Values.env }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{/* How a function that is open to the public knows who calls. */}}
{{- define "sluice.authEnv" -}}
{{- $auth := .Values.auth -}}
{{- if and (or $auth.issuer $auth.audience $auth.jwksUrl) (not (and $auth.issuer $auth.audience $auth.jwksUrl)) -}}
{{- fail "auth: issuer, audience and jwksUrl belong together" -}}
{{- end -}}
- name: AUTH_MODE
  value: jwt
{{- $variables := dict "JWT_ISSUER" $auth.issuer "JWT_AUDIENCE" $auth.audience "JWT_JWKS_URL" $auth.jwksUrl "JWT_TENANT_CLAIM" $auth.tenantClaim "JWT_OPERATOR_SCOPE" $auth.operatorScope -}}
{{- range $name, $value := $variables -}}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Variables from Secrets: dict "root" $ "owner" (function or Job) "secrets" (names in .Values.secrets, and kafka). */}}
{{- define "sluice.secretEnv" -}}
{{- $root := .root -}}
{{- if $root.Values.externalSecrets.enabled -}}
{{- $owner := .owner -}}
{{- range $variable, $text := (include "sluice.secretTexts" . | fromYaml) }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "sluice.secretOf" $owner }}
      key: {{ $variable }}
{{- end }}
{{- else -}}
{{- range $name := without .secrets "kafka" -}}
{{- $secret := index $root.Values.secrets $name -}}
{{- if $secret.name -}}
{{- range $variable, $key := $secret.keys }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ $key }}
{{- end }}
{{- else if ne $name "redis" -}}
{{- fail (printf "secrets.%s.name is required: the Secret with the keys %s" $name (values $secret.keys | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- $kafka := $root.Values.kafka -}}
{{- if and $kafka.sasl.enabled (has "kafka" .secrets) }}
- name: KAFKA_SASL_USERNAME
  valueFrom:
    {{- include "sluice.secretKeyRef" $kafka.sasl.user | nindent 4 }}
- name: KAFKA_SASL_PASSWORD
  valueFrom:
    {{- include "sluice.secretKeyRef" $kafka.sasl.password | nindent 4 }}
{{- end -}}
{{- end -}}
{{- range $root.Values.secretEnv }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}
{{- end -}}

{{/* A key of a Secret in the form of KafkaSource. */}}
{{- define "sluice.secretKeyRef" -}}
secretKeyRef:
  name: {{ .name }}
  key: {{ .key }}
{{- end -}}

{{/* The gates of Knative that the values call open, by Knative's names. */}}
{{- define "sluice.openGates" -}}
{{- $open := list -}}
{{- range $gate, $isOpen := .Values.featureGates -}}
{{- if $isOpen -}}{{- $open = append $open (printf "kubernetes.%s" ($gate | replace "podspec" "podspec-" | lower)) -}}{{- end -}}
{{- end -}}
{{- join ", " $open -}}
{{- end -}}
