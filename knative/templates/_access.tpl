{{/* Does the Job of the migrations have a ServiceAccount of its own? */}}
{{- define "sluice.migrateHasAccount" -}}
{{- $migrations := .Values.migrations -}}
{{- if or $migrations.serviceAccount.annotations $migrations.securityGroups .Values.externalSecrets.enabled -}}yes{{- end -}}
{{- end -}}

{{/* Annotations of what must be there before the Job. */}}
{{- define "sluice.beforeMigration" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: "-5"
helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}

{{/* A hook runs before the ConfigMap exists, so settings are spelled out: dict "root" $ "command" … "secrets" (list …). */}}
{{- define "sluice.migrateContainer" -}}
{{- $values := .root.Values -}}
{{- $settings := include "sluice.settings" .root | fromYaml -}}
{{- if ne .command "topics" -}}{{- $settings = pick $settings "NODE_EXTRA_CA_CERTS" -}}{{- end -}}
name: {{ .command }}
image: {{ include "sluice.image" .root | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
args: [{{ .command }}]
env:
  {{- range $variable, $value := $settings }}
  - name: {{ $variable }}
    value: {{ $value | quote }}
  {{- end }}
  {{- with include "sluice.secretEnv" (dict "root" .root "owner" "sluice-migrate" "secrets" .secrets) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml $values.migrations.resources | nindent 2 }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
{{- if include "sluice.caVolume" .root }}
volumeMounts:
  - {{ include "sluice.caMount" .root | nindent 4 | trim }}
{{- end }}
{{- end -}}

{{/* dict "root" $ "owner" … "function" (optional) "groups" … "selector" … "annotations" (optional, text). */}}
{{- define "sluice.securityGroupPolicy" -}}
apiVersion: vpcresources.k8s.aws/v1beta1
kind: SecurityGroupPolicy
metadata:
  name: {{ .owner }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sluice.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- toYaml .selector | nindent 6 }}
  securityGroups:
    groupIds:
      {{- toYaml .groups | nindent 6 }}
{{- end -}}

{{/* The Secret that External Secrets Operator makes for a function or a Job. */}}
{{- define "sluice.secretOf" -}}{{ . }}-secrets{{- end -}}

{{/* A store that is asked as one ServiceAccount, and what is asked of it: dict "root" $ "owner" … "function" (optional) "secrets" … */}}
{{- define "sluice.externalSecret" -}}
{{- $external := .root.Values.externalSecrets -}}
{{- $texts := include "sluice.secretTexts" . | fromYaml -}}
{{- $asked := include "sluice.secretAsked" . | fromYaml -}}
apiVersion: {{ $external.apiVersion }}
kind: SecretStore
metadata:
  name: {{ .owner }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sluice.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  provider:
    {{- if $external.aws.region }}
    aws:
      service: SecretsManager
      region: {{ $external.aws.region }}
      auth:
        jwt:
          serviceAccountRef:
            name: {{ .owner }}
    {{- else }}
    vault:
      server: {{ required "externalSecrets: one of aws.region and vault.server is required" $external.vault.server }}
      path: {{ $external.vault.path }}
      version: v2
      auth:
        kubernetes:
          mountPath: {{ $external.vault.mountPath }}
          role: {{ printf "%s-%s" .root.Release.Namespace .owner }}
          serviceAccountRef:
            name: {{ .owner }}
    {{- end }}
---
apiVersion: {{ $external.apiVersion }}
kind: ExternalSecret
metadata:
  name: {{ .owner }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sluice.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  refreshInterval: {{ $external.refreshInterval }}
  secretStoreRef:
    kind: SecretStore
    name: {{ .owner }}
  target:
    name: {{ if has "sources" .secrets }}{{ .root.Values.kafka.sasl.user.name }}{{ else }}{{ include "sluice.secretOf" .owner }}{{ end }}
    creationPolicy: Owner
    template:
      engineVersion: v2
      data:
        {{- toYaml $texts | nindent 8 }}
  data:
    {{- range $key, $from := $asked }}
    - secretKey: {{ $key }}
      remoteRef:
        key: {{ $from.name }}
        property: {{ $from.property }}
    {{- end }}
{{- end -}}

{{/*
What a Secret holds, in the template language of External Secrets Operator. In the user part of a URL a space is %20, and urlquery
writes it as a plus.
*/}}
{{- define "sluice.secretTexts" -}}
{{- $external := .root.Values.externalSecrets -}}
{{- $kafka := .root.Values.kafka.sasl -}}
{{- $quoted := `{{ .%s | urlquery | replace "+" "%%20" }}` -}}
{{- if has "database" .secrets }}
{{- $database := $external.database }}
DATABASE_URL: {{ printf "postgres://%s:%s@%s:%v/%s%s" (printf $quoted "database_username") (printf $quoted "database_password") $database.host ($database.port | int) $database.database (ternary (printf "?%s" $database.parameters) "" (ne $database.parameters "")) | quote }}
{{- end }}
{{- if and (has "redis" .secrets) $external.redis.host }}
REDIS_URL: {{ printf "rediss://%s:%s@%s:%v" (printf $quoted "redis_username") (printf $quoted "redis_password") $external.redis.host ($external.redis.port | int) | quote }}
{{- end }}
{{- if has "model" .secrets }}
MODEL_API_KEY: {{ "{{ .model_api_key }}" | quote }}
MODEL_BASE_URL: {{ "{{ .model_base_url }}" | quote }}
{{- end }}
{{- if has "memory" .secrets }}
MEMORY_SERVICE_TOKEN: {{ "{{ .memory_token }}" | quote }}
{{- end }}
{{- if and (has "kafka" .secrets) $kafka.enabled }}
KAFKA_SASL_USERNAME: {{ "{{ .kafka_username }}" | quote }}
KAFKA_SASL_PASSWORD: {{ "{{ .kafka_password }}" | quote }}
{{- end }}
{{- if has "sources" .secrets }}
{{ $kafka.type.key }}: {{ upper $kafka.mechanism }}
{{ $kafka.user.key }}: {{ "{{ .kafka_username }}" | quote }}
{{ $kafka.password.key }}: {{ "{{ .kafka_password }}" | quote }}
{{- with $external.kafka.ca }}
ca.crt: {{ printf "{{ .kafka_%s }}" . | quote }}
{{- end }}
protocol: {{ ternary "SASL_SSL" "SASL_PLAINTEXT" .root.Values.kafka.tls.enabled }}
{{- end }}
{{- end -}}

{{/* Which property of which secret of the store each word in those texts is. */}}
{{- define "sluice.secretAsked" -}}
{{- $external := .root.Values.externalSecrets -}}
{{- $properties := dict "database" (list "username" "password") "redis" (list "username" "password") "model" (list "api_key" "base_url") "memory" (list "token") "kafka" (list "username" "password") -}}
{{- $wanted := .secrets -}}
{{- if has "sources" $wanted -}}
{{- $wanted = list "kafka" -}}
{{- with $external.kafka.ca -}}{{- $_ := set $properties "kafka" (list "username" "password" .) -}}{{- end -}}
{{- end -}}
{{- if not $external.redis.host -}}{{- $wanted = without $wanted "redis" -}}{{- end -}}
{{- if not .root.Values.kafka.sasl.enabled -}}{{- $wanted = without $wanted "kafka" -}}{{- end -}}
{{- range $name := $wanted -}}
{{- $remote := required (printf "externalSecrets.%s.secret is required: the name of the secret in the store" $name) (index $external $name).secret -}}
{{- range $property := index $properties $name }}
{{ $name }}_{{ $property }}: { name: {{ $remote | quote }}, property: {{ $property }} }
{{- end }}
{{- end }}
{{- end -}}
