"""The emulator, tested through what others wrote: boto3. Run by tests/it/emulator.rs, which gives the AWS_* variables."""
