/// Why keys of LiteLLM are left out, where that is so whatever they say.
enum LiteLLMReasons {
    private static let cache = "the proxy does not cache answers"
    private static let redis = "the proxy keeps its state in its own process"
    private static let database =
        "the proxy has a ledger of its own and reads no other database; make keys anew with ociai-proxy key create"
    private static let callbacks =
        "the proxy calls no logging services: /metrics is for Prometheus, OTEL_EXPORTER_OTLP_ENDPOINT sends traces, the ledger has each request"
    private static let content = "the proxy records no prompts and answers"
    private static let alerting = "alerts have a form of their own; see alert_webhook and alert_command"
    private static let people = "the proxy knows keys, and no teams, users or single sign-on"
    private static let tags = "the proxy does not route by tags"
    private static let guardrails = "the proxy has no guardrails"
    private static let mcp = "the proxy serves models, and no tools"
    private static let perError = "the proxy decides by the kind of failure; see docs/routing.md"
    private static let addresses = "the proxy does not filter clients by address or route"
    private static let adjusts = "the proxy learns how many requests an upstream takes"

    /// At the top.
    static let sections: [String: String] = [
        "include": "an import reads one file: import the others by themselves, or put them into this one",
        "guardrails": guardrails, "prompts": "the proxy keeps no prompts", "mcp_servers": mcp, "mcp_tools": mcp,
        "mcp_aliases": mcp, "assistant_settings": "the proxy does not serve assistants",
        "files_settings": "files go to the provider that the client names",
        "finetune_settings": "the proxy does not serve fine tuning",
        "vector_store_registry": "the proxy keeps no documents", "search_tools": mcp, "agent_list": mcp,
        "callback_settings": callbacks, "default_team_settings": people,
        "passthrough_endpoints": "the proxy serves the endpoints of its own list",
        "pass_through_endpoints": "the proxy serves the endpoints of its own list", "policies": guardrails,
        "worker_config": "the proxy is one process",
    ]

    /// `litellm_params` of a deployment.
    static let parameters: [String: String] = {
        var reasons = [
            "num_retries": "retry_attempts is for all models", "max_retries": "retry_attempts is for all models",
            "cooldown_time": "reset_timeout is for all upstreams", "tags": tags,
            "max_budget": "budgets belong to keys; see budget_hard",
            "budget_duration": "budgets belong to keys; see budget_hard",
            "mock_response": "the proxy makes up no answers", "mock_testing_fallbacks": "the proxy makes up no answers",
            "use_in_pass_through": "the proxy serves the endpoints of its own list",
            "use_litellm_proxy": "the upstream is asked as any other",
            "configurable_clientside_auth_params": "clients cannot choose the keys of upstreams",
            "input_cost_per_second": "prices are by tokens or characters",
            "output_cost_per_second": "prices are by tokens or characters",
            "ssl_verify": "certificates are always checked; ca_file names further authorities",
            "merge_reasoning_content_in_choices": "reasoning stays apart from the text",
            "cache": cache, "caching": cache, "cache_control_injection_points": "requests to providers pass unchanged",
            "model_info": "it belongs beside litellm_params", "metadata": tags,
            "region_name": "the proxy does not route by countries",
            "base_model": "it belongs into model_info", "api_type": "the vendor says it already",
            "supports_system_message": "the proxy knows what its models take",
            "hf_model_name": "it is for counting tokens",
            "max_file_size_mb": "max_request_size is for all requests",
            "default_api_key_tpm_limit": "limits belong to keys; see tpm in [KEY NAME]",
            "default_api_key_rpm_limit": "limits belong to keys; see rpm in [KEY NAME]",
            "auto_router_config_path": "the proxy asks the model that the client names",
            "azure_ad_token": "tokens of Entra ID end within the hour; use a key of the resource",
            "tenant_id": "tokens of Entra ID end within the hour; use a key of the resource",
            "client_id": "tokens of Entra ID end within the hour; use a key of the resource",
            "client_secret": "tokens of Entra ID end within the hour; use a key of the resource",
        ]
        for name in ["oci_signer"] {
            reasons[name] = "a program's object cannot stand in a file; set auth in the account"
        }
        return reasons
    }()

    /// Beginnings of keys that belong to vendors which are left out.
    static let foreignParameters = ["aws_", "vertex_", "watsonx_", "sagemaker_"]

    static let modelInfo: [String: String] = {
        let knows = "upstreams and providers say themselves what their models are"
        var reasons = [
            "id": "the proxy names its upstreams itself",
            "mode": "the proxy serves chats, embeddings and rerank by their endpoints",
            "base_model": knows, "description": "it is for people", "version": "it is for people",
            "metadata": "it is for people",
            "access_groups": "what keys may use is said in [KEY NAME] models", "team_id": people,
            "health_check_model": "the proxy probes in its own way",
            "health_check_timeout": "the proxy probes in its own way",
            "disable_background_health_check": "the proxy probes in its own way", "db_model": database,
            "tier": tags, "litellm_provider": knows,
        ]
        for name in [
            "max_tokens", "max_input_tokens", "max_output_tokens", "supported_environments", "key", "created_by",
        ] {
            reasons[name] = knows
        }
        return reasons
    }()

    static let router: [String: String] = {
        var reasons = [
            "content_policy_fallbacks":
                "a refusal by a content filter goes back to the client, and nobody else is asked",
            "retry_policy": perError, "model_group_retry_policy": perError, "allowed_fails_policy": perError,
            "retry_after": "the proxy waits as long as the upstream says, or doubling",
            "disable_cooldowns": "breakers cannot be turned off; failure_rate = 1 and a high max_failures come near",
            "enable_pre_call_checks": "a prompt that is too long goes to the fallbacks when the upstream says so",
            "enable_pre_call_check": "a prompt that is too long goes to the fallbacks when the upstream says so",
            "optional_pre_call_checks": "the proxy decides by what upstreams answer",
            "enable_tag_filtering": tags, "tag_filtering_match_any": tags, "routing_strategy_args": adjusts,
            "max_fallbacks": "all fallbacks of a model are tried", "default_priority": "requests wait in rounds by key",
            "polling_interval": "requests wait in one queue, which nobody polls",
            "client_ttl": "connections end by themselves",
            "caching_groups": cache, "cache_responses": cache, "cache_kwargs": redis,
            "default_litellm_params": "a provider of the proxy has no default yet",
            "debug_level": "see log_level", "set_verbose": "see log_level",
            "ignore_invalid_deployments": "an account that cannot be used is listed, and the others serve",
            "provider_budget_config": "budgets belong to keys; see budget_hard", "alerting_config": alerting,
            "assistants_config": "the proxy does not serve assistants",
            "fallback_depth": "all fallbacks of a model are tried",
            "router_general_settings": adjusts, "deployment_affinity_ttl_seconds": adjusts,
        ]
        for name in [
            "redis_url", "redis_host", "redis_port", "redis_password", "redis_db", "redis_ssl", "redis_username",
        ] {
            reasons[name] = redis
        }
        return reasons
    }()

    static let litellm: [String: String] = {
        var reasons = [
            "content_policy_fallbacks":
                "a refusal by a content filter goes back to the client, and nobody else is asked",
            "cache": cache, "cache_params": cache, "enable_redis_auth_cache": redis, "callback_settings": callbacks,
            "turn_off_message_logging": content, "redact_messages_in_exceptions": content,
            "redact_user_api_key_info": "logs have the names of keys, and no keys",
            "telemetry": "the proxy reports to nobody", "langfuse_default_tags": callbacks,
            "modify_params": "requests are changed only where a model would not take them",
            "additional_drop_params": "parameters that a model of OCI does not take are left out anyway",
            "enable_preview_features": "there are none to turn on",
            "force_ipv4": "addresses are tried in the order of the system",
            "ssl_verify": "certificates are always checked; ca_file names further authorities",
            "ssl_certificate": "the proxy shows no certificate to upstreams",
            "ssl_security_level": "the proxy has no such setting of TLS",
            "max_budget": "budgets belong to keys; see budget_hard in [KEY default]",
            "budget_duration": "budgets belong to keys; see budget_hard in [KEY default]",
            "max_internal_user_budget": people, "internal_user_budget_duration": people,
            "default_internal_user_params": people,
            "default_team_settings": people, "default_team_params": people, "upperbound_key_generate_params": people,
            "default_key_generate_params": people, "key_generation_settings": people, "max_end_user_budget": people,
            "default_end_user_budget": people, "ui_theme_config": "the dashboard has one look for each theme",
            "mcp_aliases": mcp, "guardrails": guardrails, "custom_provider_map": "the proxy runs no code of others",
            "model_alias_map": "see model_group_alias",
            "enable_json_schema_validation": "schemas are checked by the upstream",
            "disable_end_user_cost_tracking": "the ledger counts keys, and no end users",
            "disable_end_user_cost_tracking_prometheus_only": "the ledger counts keys, and no end users",
            "priority_reservation": "requests wait in rounds by key",
            "public_model_groups": "GET /v1/models lists what a key may use",
            "forward_traceparent_to_llm_provider": "see propagate_trace of a provider",
            "retry_policy": perError, "store_audit_logs": "the ledger has who has changed keys",
            "prometheus_initialize_budget_metrics": "/metrics has the budgets of keys",
            "require_auth_for_metrics_endpoint": "/metrics asks for a viewer's key, but from the machine itself",
            "custom_prometheus_metadata_labels": callbacks, "drop_params_default": "see drop_params",
            "default_max_internal_user_budget": people, "s3_callback_params": callbacks,
            "gcs_callback_params": callbacks,
            "num_workers": "the proxy is one process",
        ]
        for name in [
            "callbacks", "success_callback", "failure_callback", "service_callbacks", "service_callback",
            "input_callback",
            "post_call_rules", "pre_call_rules", "log_raw_request_response", "prometheus_metrics_config",
        ] { reasons[name] = callbacks }
        return reasons
    }()

    static let general: [String: String] = {
        var reasons = [
            "completion_model": "the proxy asks the model that the client names",
            "embedding_model": "the proxy asks the model that the client names",
            "moderation_model": "the proxy asks the model that the client names",
            "image_generation_model": "the proxy asks the model that the client names",
            "infer_model_from_keys": "upstreams are named in the file",
            "allow_client_side_credentials": "clients cannot choose the keys of upstreams",
            "forward_client_headers_to_llm_api": "upstreams get none of the client's headers",
            "forward_openai_org_id": "upstreams get none of the client's headers",
            "litellm_key_header_name": "keys come as Authorization, or as x-api-key",
            "enforce_user_param": "the proxy asks for no user",
            "enforced_params": "the proxy asks for no further members",
            "store_prompts_in_spend_logs": content, "health_check_details": "/health tells what /health tells",
            "use_shared_health_check": redis, "custom_auth": "the proxy runs no code of others",
            "custom_key_generate": "the proxy runs no code of others", "custom_sso": people,
            "pass_through_endpoints": "the proxy serves the endpoints of its own list",
            "ui_access_mode": "the dashboard is for viewers and administrators", "ui_username": people,
            "ui_password": people,
            "litellm_license": "the proxy needs none", "use_x_forwarded_for": addresses, "allowed_ips": addresses,
            "allowed_routes": addresses, "public_routes": addresses, "admin_only_routes": addresses,
            "mcp_client_side_auth_header_name": mcp, "user_mcp_management_mode": mcp,
            "coordination_redis": redis, "spend_report_frequency": alerting, "reject_clientside_metadata_tags": tags,
            "disable_responses_id_security": "stored responses belong to the key that made them",
            "key_management_system": "secrets come by environment variables",
            "key_management_settings": "secrets come by environment variables",
            "use_azure_key_vault": "secrets come by environment variables",
            "use_google_kms": "secrets come by environment variables",
            "disable_retry_on_max_parallel_request_limit_error": adjusts,
            "maximum_spend_logs_retention_interval": database,
            "drop_params": "it belongs into litellm_settings",
            "cost_discount_config": "prices are those of [PRICES]",
        ]
        for name in ["alerting", "alerting_threshold", "alert_types", "alerting_args", "alert_to_webhook_url"] {
            reasons[name] = alerting
        }
        for name in [
            "enable_jwt_auth", "litellm_jwtauth", "enable_oauth2_auth", "enable_oauth2_proxy_auth",
            "oauth2_config_mappings",
            "allow_user_auth", "default_team_disabled", "service_account_settings", "role_permissions",
        ] { reasons[name] = people }
        for name in [
            "database_url", "database_type", "database_args", "database_connection_pool_limit",
            "database_connection_timeout",
            "database_connection_pool_timeout", "allow_requests_on_db_unavailable", "disable_prisma_schema_update",
            "store_model_in_db",
            "supported_db_objects", "proxy_budget_rescheduler_min_time", "proxy_budget_rescheduler_max_time",
            "proxy_batch_write_at", "proxy_batch_polling_interval", "user_api_key_cache_ttl",
            "use_redis_transaction_buffer",
            "disable_spend_logs", "disable_spend_updates", "disable_reset_budget", "disable_error_logs",
            "disable_master_key_return", "disable_adding_master_key_hash_to_db",
        ] { reasons[name] = database }
        return reasons
    }()
}
