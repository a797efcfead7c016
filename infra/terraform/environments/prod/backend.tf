# State in S3 with its own lock file. Name the place when initialising; nothing of it is secret:
#   terraform init -backend-config=bucket=… -backend-config=region=… -backend-config=key=sluice/<environment>.tfstate
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
