"""The emulator, tested through what others wrote: boto3. Run by tests/it/aws/emulator.rs, which gives the AWS_* variables."""
