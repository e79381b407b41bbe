#pragma once
// The formats of this folder, one file each. A new one is a file, a line here and one in
// registry.cpp.

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

Format hermes();      ///< Qwen 2.5 and 3, Hermes, Granite 3: <tool_call>{json}</tool_call>
Format qwen_xml();    ///< Qwen3-Coder: <function=name><parameter=key>value</parameter></function>
Format glm();         ///< GLM 4.5 and later: <tool_call>name<arg_key>..</arg_key><arg_value>..
Format mistral();     ///< [TOOL_CALLS][{json}] and [TOOL_CALLS]name[ARGS]{json}
Format kimi();        ///< Kimi K2: <|tool_calls_section_begin|>...
Format deepseek();    ///< DeepSeek R1, V3, V3.1, V3.2 (DSML)
Format gemma();       ///< Gemma 3 (```tool_code), Gemma 4, FunctionGemma
Format harmony();     ///< gpt-oss: channels
Format minimax();     ///< MiniMax M2 and others: <invoke name="..."><parameter name="...">
Format phi();         ///< Phi-4: <|tool_call|>[json]<|/tool_call|>, functools[json]
Format granite();     ///< Granite: <|tool_call|>[json], <function_call>{json}
Format command_r();   ///< Command R: <|START_ACTION|>[json]<|END_ACTION|>
Format llama_json();  ///< Llama 3: <|python_tag|>{json}, {"name", "parameters"} alone
Format pythonic();    ///< Llama 3.2 and 4, LFM2: [name(key=value)]
Format plain_json();  ///< xLAM and others: the whole answer is a call in JSON, or a list of them

}  // namespace punie::openai::tool_calls
