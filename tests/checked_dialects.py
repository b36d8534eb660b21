"""The recording of the corpus that each dialect of chat was checked against."""

CHECKED_AGAINST = {
    "openai": "pydantic__pydantic-ai/"
    "tests__cassettes__test_prefect__test_complex_agent_run_in_flow.yaml#1",
    "azure": "traceloop__openllmetry/"
    "elemetry-instrumentation-openai__tests__traces__cassettes__test_azure__test_chat"
    "_streaming.yaml#1",
    "ollama": "crmne__ruby_llm/"
    "alling_ollama_qwen3_can_use_tools_without_parameters_in_multi-turn_streaming_con"
    "versations.yaml#0",
    "gpustack": "crmne__ruby_llm/"
    "calling_gpustack_qwen3_can_use_tools_with_multi-turn_streaming_conversations.yml"
    "@5c824b12.yaml#0",
    "vllm": "traceloop__openllmetry/"
    "assettes__test_llms__test_trace_propagation_stream_with_events_with_no_content_C"
    "hatOpenAI_.yaml#0",
    "gemini": "olimorris__codecompanion.nvim/"
    "tests__adapters__http__copilot__stubs__copilot_tools_streaming_reasoning.yaml#0",
    "mistral": "pydantic__pydantic-ai/"
    "tests__models__cassettes__test_mistral__test_mistral_model_thinking_part_iter.ya"
    "ml#0",
    "openrouter": "crmne__ruby_llm/"
    "uter_reasoning_details_round-trip_accumulates_reasoning_details_while_streaming_"
    "tool_calls.yaml#0",
    "groq": "pydantic__pydantic-ai/"
    "tests__models__cassettes__test_groq__test_tool_use_failed_error_streaming.yaml#1",
    "deepseek": "vercel__ai/"
    "packages__deepseek__src__chat____fixtures____deepseek-tool-call.yaml#0",
    "xai": "crmne__ruby_llm/"
    "4-1-fast-non-reasoning_can_use_tools_with_multi-turn_streaming_conversations.yml"
    "@7088339b.yaml#0",
    "perplexity": "crmne__ruby_llm/"
    "es_perplexity_sonar_reports_consistent_token_counts_compared_to_non-streaming.ym"
    "l@5c824b12.yaml#0",
    "no-index": "vercel__ai/"
    "packages__mistral__src____fixtures____mistral-tool-call.yaml#0",
    "null-continuation": "traceloop__openllmetry/"
    "hat__test_writer_async_streaming_chat_multiple_tool_call_requests_with_events_wi"
    "th_content.yaml#0",
    "empty-content": "crmne__ruby_llm/"
    "alling_ollama_qwen3_can_use_tools_without_parameters_in_multi-turn_streaming_con"
    "versations.yaml#0",
    "list-content": "vercel__ai/"
    "packages__mistral__src____fixtures____mistral-reasoning.yaml#0",
    "usage-chunk": "pydantic__pydantic-ai/"
    "tests__cassettes__test_prefect__test_complex_agent_run_in_flow.yaml#1",
}
"""By the dialect's name: the file, and which interaction of it."""
