"""Options that the documentation names for providers that have no file here: known, so that they are told from typos.

Source: portkey-api.md 1.2 and 2.2. Whoever adds such a provider moves its options into its file.
"""

DOCUMENTED = frozenset({
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_region", "aws_role_arn", "aws_external_id",
    "aws_auth_type", "aws_s3_bucket", "aws_s3_object_key", "aws_bedrock_model",
    "vertex_project_id", "vertex_region", "vertex_service_account_json", "vertex_auth_type",
    "vertex_storage_bucket_name",
    "azure_region", "azure_deployment_name", "azure_deployment_type", "azure_endpoint_name", "azure_foundry_url",
    "workers_ai_account_id", "fireworks_account_id", "snowflake_account", "databricks_workspace",
})  # fmt: skip
