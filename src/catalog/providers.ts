/**
 * Which providers exist in the world: one row each, with where its protocols are served, the variables that hold its
 * key and its deviations. A vendor whose regions take different keys has a row a region, because a key goes only to the
 * origin it was made for. Providers whose address is the user's own are in a table of their own (`addressedByUser`). Not
 * here: agent runtimes.
 */
import {
  type AddressedByUser,
  type CatalogProvider,
  type CredentialStyle,
  noQuirks,
  type ProviderEndpoint,
  type ProviderQuirks,
} from '../core/providers.ts';

/** The protocols that rows name. A row whose protocols are not in the table of `protocols/all.ts` is left out by the lookup. */
export const namedProtocols = [
  'openai-completions',
  'openai-responses',
  'openai-codex-responses',
  'anthropic-messages',
  'google-generative-ai',
  'github-copilot',
  'bedrock-converse-stream',
  'ollama',
  'claude-cli',
  'codex-cli',
] as const;
type NamedProtocol = (typeof namedProtocols)[number];

type Endpoints = CatalogProvider['endpoints'];
type Extras = Partial<Omit<CatalogProvider, 'id' | 'name' | 'envVars' | 'endpoints'>>;

function row(id: string, name: string, envVars: readonly string[], endpoints: Endpoints, extras: Extras = {}): CatalogProvider {
  return { id, name, aliases: [], endpoints, envVars, ...extras };
}

interface Details {
  readonly style?: CredentialStyle;
  readonly quirks?: ProviderQuirks;
}

function at(protocol: NamedProtocol, baseUrl: string, { style = 'bearer', quirks = noQuirks }: Details = {}): ProviderEndpoint {
  return { protocol, baseUrl, style, quirks };
}

const completions = (baseUrl: string, quirks: ProviderQuirks = noQuirks) => at('openai-completions', baseUrl, { quirks });
const responses = (baseUrl: string) => at('openai-responses', baseUrl);
/** The base URL is what `/v1/messages` is appended to. */
const messages = (baseUrl: string, details: Details = {}) => at('anthropic-messages', baseUrl, details);
/** Anthropic's protocol for models of other vendors: `anthropic-beta` names features of Anthropic's own server, which others refuse or ignore. */
const messagesOfOthers = (baseUrl: string, style: CredentialStyle = 'bearer') =>
  messages(baseUrl, { style, quirks: { noBetas: true } });

// What refuses the newer fields of OpenAI's chat API, by the families in which it is met.
const oldRoles: ProviderQuirks = { noDeveloperRole: true, noStore: true };
const oldFields: ProviderQuirks = { ...oldRoles, maxTokensOnly: true };
const oldFieldsNoEffort: ProviderQuirks = { ...oldFields, noReasoningEffort: true };
const zai: ProviderQuirks = { ...oldFieldsNoEffort, thinkingSwitch: 'thinking' };
const mimo: ProviderQuirks = { noReasoningEffort: true, thinkingSwitch: 'thinking', wantsReasoning: true };
const qwenTokenPlan: ProviderQuirks = { ...oldRoles, thinkingSwitch: 'enable_thinking' };
/** Most servers on one's own machine; those that know the newer field know this one too. */
const maxTokensOnly: ProviderQuirks = { maxTokensOnly: true };

/** Regions with Amazon Bedrock besides the usual one (https://docs.aws.amazon.com/general/latest/gr/bedrock.html). */
const bedrockRegions: readonly string[] = [
  ...['us-east-2', 'us-west-1', 'us-west-2', 'us-gov-east-1', 'us-gov-west-1', 'ca-central-1', 'ca-west-1', 'mx-central-1'],
  ...['sa-east-1', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2'],
  ...['eu-west-3', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
  ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-7'],
  ...['af-south-1', 'il-central-1', 'me-central-1', 'me-south-1'],
];
const bedrockIn = (region: string) => `https://bedrock-runtime.${region}.amazonaws.com`;
const copilot = 'https://api.githubcopilot.com';
/** Copilot bills a request of a person in another way than one that goes on with the results of tools. */
const copilotTurns = { initiator: 'x-initiator', images: 'copilot-vision-request' };

const vendors: readonly CatalogProvider[] = [
  row('openai', 'OpenAI', ['OPENAI_API_KEY'], [completions('https://api.openai.com/v1'), responses('https://api.openai.com/v1')]),
  row('openai-codex', 'ChatGPT (Codex)', [], [at('openai-codex-responses', 'https://chatgpt.com/backend-api')], {
    aliases: ['chatgpt', 'codex'],
    account: {
      name: 'chatgpt-account-id',
      claims: [['https://api.openai.com/auth', 'chatgpt_account_id'], ['chatgpt_account_id'], ['organizations', '0', 'id']],
    },
    oauth: { tokenUrl: 'https://auth.openai.com/oauth/token', clientId: 'app_EMoamEEZ73f0CkXaXp7hrann', style: 'form' },
  }),
  row(
    'anthropic',
    'Anthropic',
    ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_OAUTH_TOKEN', 'ANTHROPIC_API_KEY'],
    [messages('https://api.anthropic.com', { style: 'x-api-key' })],
    {
      aliases: ['claude'],
      secretForms: [
        // A setup token or the access token of a login, which the endpoint takes with this beta alone.
        { prefix: 'sk-ant-oat', style: 'bearer', headers: { 'anthropic-beta': 'oauth-2025-04-20' } },
        { variables: ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_OAUTH_TOKEN'], kinds: ['token', 'oauth'], style: 'bearer' },
      ],
      oauth: {
        tokenUrl: 'https://platform.claude.com/v1/oauth/token',
        clientId: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
        style: 'json',
      },
    },
  ),
  row(
    'google',
    'Google Gemini',
    ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    [
      at('google-generative-ai', 'https://generativelanguage.googleapis.com/v1beta', { style: 'x-goog-api-key' }),
      completions('https://generativelanguage.googleapis.com/v1beta/openai'),
    ],
    { aliases: ['gemini'] },
  ),
  row(
    'xai',
    'xAI',
    ['XAI_API_KEY'],
    [completions('https://api.x.ai/v1', { ...oldRoles, noReasoningEffort: true }), responses('https://api.x.ai/v1')],
    {
      aliases: ['x-ai', 'grok'],
      oauth: { tokenUrl: 'https://auth.x.ai/oauth2/token', clientId: 'b1a00492-073a-47ea-816f-4c329264a828', style: 'form' },
    },
  ),
  row('mistral', 'Mistral', ['MISTRAL_API_KEY'], [completions('https://api.mistral.ai/v1')]),
  row(
    'deepseek',
    'DeepSeek',
    ['DEEPSEEK_API_KEY'],
    [
      completions('https://api.deepseek.com', { ...oldFields, thinkingSwitch: 'thinking', wantsReasoning: true }),
      messagesOfOthers('https://api.deepseek.com/anthropic'),
    ],
    { noEmbeddings: true },
  ),
  row('cohere', 'Cohere', ['COHERE_API_KEY', 'CO_API_KEY'], [completions('https://api.cohere.ai/compatibility/v1')]),
  row('perplexity', 'Perplexity', ['PERPLEXITY_API_KEY', 'PERPLEXITYAI_API_KEY'], [completions('https://api.perplexity.ai')]),
  row('meta', 'Meta', ['META_API_KEY'], [responses('https://api.meta.ai/v1')]),
  row('meta-llama', 'Meta Llama API', ['LLAMA_API_KEY'], [completions('https://api.llama.com/compat/v1')], {
    aliases: ['meta_llama'],
  }),
  row('ai21', 'AI21', ['AI21_API_KEY'], [completions('https://api.ai21.com/studio/v1')], { aliases: ['ai21_chat'] }),
  row('arcee', 'Arcee', ['ARCEEAI_API_KEY'], [completions('https://api.arcee.ai/api/v1')]),
  row(
    'moonshot',
    'Moonshot AI',
    ['MOONSHOT_API_KEY'],
    [completions('https://api.moonshot.ai/v1', { ...oldFieldsNoEffort, wantsReasoning: true })],
    {
      aliases: ['moonshotai', 'kimi'],
      otherOrigins: ['https://api.moonshot.cn'],
    },
  ),
  row(
    'kimi-coding',
    'Kimi for Coding',
    ['KIMI_API_KEY', 'KIMICODE_API_KEY'],
    [
      completions('https://api.kimi.com/coding/v1', { ...oldFields, wantsReasoning: true }),
      messagesOfOthers('https://api.kimi.com/coding'),
    ],
    {
      aliases: ['kimi-code', 'kimi-for-coding'],
      oauth: {
        tokenUrl: 'https://auth.kimi.com/api/oauth/token',
        clientId: '17e5f671-d194-4dfb-9706-5516cb48c098',
        style: 'form',
      },
    },
  ),
  row(
    'minimax',
    'MiniMax',
    ['MINIMAX_CODE_PLAN_KEY', 'MINIMAX_CODING_API_KEY', 'MINIMAX_API_KEY'],
    [messagesOfOthers('https://api.minimax.io/anthropic'), completions('https://api.minimax.io/v1')],
    { aliases: ['minimax-cn'], otherOrigins: ['https://api.minimaxi.com'] },
  ),
  row(
    'minimax-portal',
    'MiniMax Portal',
    ['MINIMAX_OAUTH_TOKEN', 'MINIMAX_API_KEY'],
    [messagesOfOthers('https://api.minimax.io/anthropic'), completions('https://api.minimax.io/v1')],
    { aliases: ['minimax-portal-cn'], otherOrigins: ['https://api.minimaxi.com'] },
  ),
  row(
    'zai',
    'Z.ai',
    ['ZAI_API_KEY', 'Z_AI_API_KEY'],
    [completions('https://api.z.ai/api/paas/v4', zai), messagesOfOthers('https://api.z.ai/api/anthropic')],
    { aliases: ['z.ai', 'z-ai'], otherOrigins: ['https://open.bigmodel.cn'] },
  ),
  row(
    'zai-coding',
    'Z.ai coding plan',
    ['ZAI_API_KEY', 'Z_AI_API_KEY'],
    [completions('https://api.z.ai/api/coding/paas/v4', zai)],
  ),
  row(
    'zai-coding-cn',
    'Z.ai coding plan (CN)',
    ['ZAI_CODING_CN_API_KEY'],
    [completions('https://open.bigmodel.cn/api/coding/paas/v4', zai)],
  ),
  row(
    'qwen',
    'Qwen (DashScope)',
    ['QWEN_API_KEY', 'MODELSTUDIO_API_KEY', 'DASHSCOPE_API_KEY'],
    [completions('https://dashscope-intl.aliyuncs.com/compatible-mode/v1', { thinkingSwitch: 'enable_thinking' })],
    {
      aliases: ['dashscope', 'modelstudio', 'alibaba'],
      otherOrigins: [
        'https://dashscope.aliyuncs.com',
        'https://dashscope-us.aliyuncs.com',
        'https://coding-intl.dashscope.aliyuncs.com',
      ],
    },
  ),
  row(
    'qwen-token-plan',
    'Qwen token plan',
    ['QWEN_TOKEN_PLAN_API_KEY'],
    [completions('https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1', qwenTokenPlan)],
  ),
  row(
    'qwen-token-plan-cn',
    'Qwen token plan (CN)',
    ['QWEN_TOKEN_PLAN_CN_API_KEY'],
    [completions('https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1', qwenTokenPlan)],
  ),
  row(
    'volcengine',
    'Volcano Engine',
    ['VOLCANO_ENGINE_API_KEY', 'VOLCENGINE_API_KEY', 'ARK_API_KEY'],
    [completions('https://ark.cn-beijing.volces.com/api/v3')],
    { aliases: ['bytedance', 'doubao', 'ark'] },
  ),
  row(
    'volcengine-plan',
    'Volcano Engine coding plan',
    ['VOLCANO_ENGINE_API_KEY', 'VOLCENGINE_API_KEY', 'ARK_API_KEY'],
    [completions('https://ark.cn-beijing.volces.com/api/coding/v3')],
  ),
  row('byteplus', 'BytePlus', ['BYTEPLUS_API_KEY'], [completions('https://ark.ap-southeast.bytepluses.com/api/v3')]),
  row(
    'byteplus-plan',
    'BytePlus coding plan',
    ['BYTEPLUS_API_KEY'],
    [completions('https://ark.ap-southeast.bytepluses.com/api/coding/v3')],
  ),
  row('qianfan', 'Baidu Qianfan', ['QIANFAN_API_KEY'], [completions('https://qianfan.baidubce.com/v2')], { aliases: ['baidu'] }),
  row(
    'xiaomi',
    'Xiaomi MiMo',
    ['XIAOMI_API_KEY'],
    [completions('https://api.xiaomimimo.com/v1', mimo), messagesOfOthers('https://api.xiaomimimo.com/anthropic')],
    { aliases: ['mimo'] },
  ),
  row(
    'xiaomi-token-plan-cn',
    'Xiaomi MiMo token plan (CN)',
    ['XIAOMI_TOKEN_PLAN_CN_API_KEY'],
    [completions('https://token-plan-cn.xiaomimimo.com/v1', mimo)],
  ),
  row(
    'xiaomi-token-plan-sgp',
    'Xiaomi MiMo token plan (SGP)',
    ['XIAOMI_TOKEN_PLAN_SGP_API_KEY'],
    [completions('https://token-plan-sgp.xiaomimimo.com/v1', mimo)],
  ),
  row(
    'xiaomi-token-plan-ams',
    'Xiaomi MiMo token plan (AMS)',
    ['XIAOMI_TOKEN_PLAN_AMS_API_KEY'],
    [completions('https://token-plan-ams.xiaomimimo.com/v1', mimo)],
  ),
  row('stepfun', 'StepFun', ['STEPFUN_API_KEY'], [completions('https://api.stepfun.ai/v1')], {
    otherOrigins: ['https://api.stepfun.com'],
  }),
  row('tencent-tokenhub', 'Tencent TokenHub', ['TOKENHUB_API_KEY'], [completions('https://tokenhub.tencentmaas.com/v1')], {
    aliases: ['tencent'],
  }),
  row(
    'ant-ling',
    'Ant Ling',
    ['ANT_LING_API_KEY'],
    [completions('https://api.ant-ling.com/v1', { ...oldFieldsNoEffort, thinkingSwitch: 'reasoning' })],
    {
      aliases: ['ling'],
    },
  ),
  row('longcat', 'LongCat', ['LONGCAT_API_KEY'], [completions('https://api.longcat.chat/openai')]),
  row('amazon-bedrock', 'Amazon Bedrock', ['AWS_BEARER_TOKEN_BEDROCK'], [at('bedrock-converse-stream', bedrockIn('us-east-1'))], {
    aliases: ['bedrock', 'aws-bedrock'],
    otherOrigins: bedrockRegions.map(bedrockIn),
    regional: { usual: 'us-east-1', variables: ['AWS_REGION', 'AWS_DEFAULT_REGION'] },
  }),
];

/** Who serves other people's models. */
const hosts: readonly CatalogProvider[] = [
  // Not GITHUB_TOKEN, which lies about on many machines and is meant for something else.
  row(
    'github-copilot',
    'GitHub Copilot',
    ['COPILOT_GITHUB_TOKEN'],
    [
      completions(copilot, { noStore: true, noDeveloperRole: true, noReasoningEffort: true, turnHeaders: copilotTurns }),
      at('openai-responses', copilot, { quirks: { noMaxTokens: true, turnHeaders: copilotTurns } }),
      messages(copilot, { quirks: { noBetas: true, noCount: true, turnHeaders: copilotTurns } }),
    ],
    {
      aliases: ['copilot', 'gh-copilot'],
      otherOrigins: [
        'https://api.individual.githubcopilot.com',
        'https://api.business.githubcopilot.com',
        'https://api.enterprise.githubcopilot.com',
      ],
      // A token of GitHub itself is taken from the programs that this header names.
      headers: { 'copilot-integration-id': 'copilot-developer-cli' },
    },
  ),
  row('github-models', 'GitHub Models', ['GITHUB_API_KEY'], [completions('https://models.github.ai/inference')], {
    aliases: ['github'],
    otherOrigins: ['https://models.inference.ai.azure.com'],
  }),
  row('groq', 'Groq', ['GROQ_API_KEY'], [completions('https://api.groq.com/openai/v1')]),
  row('cerebras', 'Cerebras', ['CEREBRAS_API_KEY'], [completions('https://api.cerebras.ai/v1', oldRoles)], {
    noEmbeddings: true,
  }),
  row('sambanova', 'SambaNova', ['SAMBANOVA_API_KEY'], [completions('https://api.sambanova.ai/v1')]),
  row(
    'openrouter',
    'OpenRouter',
    ['OPENROUTER_API_KEY'],
    // It takes the role `developer` for the models of two vendors alone, and `system` for all.
    [
      completions('https://openrouter.ai/api/v1', { noDeveloperRole: true, thinkingSwitch: 'reasoning', cacheControl: true }),
      messages('https://openrouter.ai/api'),
    ],
  ),
  row(
    'vercel-ai-gateway',
    'Vercel AI Gateway',
    ['AI_GATEWAY_API_KEY', 'VERCEL_AI_GATEWAY_API_KEY'],
    [messages('https://ai-gateway.vercel.sh'), completions('https://ai-gateway.vercel.sh/v1')],
    { aliases: ['ai-gateway'] },
  ),
  row(
    'together',
    'Together AI',
    ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY', 'TOGETHERAI_API_KEY', 'TOGETHER_AI_TOKEN'],
    [completions('https://api.together.xyz/v1', { ...oldFieldsNoEffort, thinkingSwitch: 'reasoning' })],
    { aliases: ['together_ai'], otherOrigins: ['https://api.together.ai'] },
  ),
  row(
    'fireworks',
    'Fireworks AI',
    ['FIREWORKS_API_KEY', 'FIREWORKS_AI_API_KEY'],
    [completions('https://api.fireworks.ai/inference/v1', oldRoles), messagesOfOthers('https://api.fireworks.ai/inference')],
    { aliases: ['fireworks_ai'] },
  ),
  row(
    'huggingface',
    'Hugging Face',
    ['HUGGINGFACE_HUB_TOKEN', 'HF_TOKEN'],
    [completions('https://router.huggingface.co/v1', { noDeveloperRole: true })],
    {
      aliases: ['hf'],
    },
  ),
  row(
    'nvidia',
    'NVIDIA NIM',
    ['NVIDIA_API_KEY', 'NVIDIA_NIM_API_KEY'],
    [completions('https://integrate.api.nvidia.com/v1', oldFieldsNoEffort)],
    {
      aliases: ['nvidia_nim', 'nim'],
    },
  ),
  row(
    'synthetic',
    'Synthetic',
    ['SYNTHETIC_API_KEY'],
    [messagesOfOthers('https://api.synthetic.new/anthropic', 'x-api-key'), completions('https://api.synthetic.new/openai/v1')],
  ),
  row('venice', 'Venice', ['VENICE_API_KEY'], [completions('https://api.venice.ai/api/v1')]),
  row(
    'chutes',
    'Chutes',
    ['CHUTES_OAUTH_TOKEN', 'CHUTES_API_KEY'],
    [completions('https://llm.chutes.ai/v1', { ...oldFields, noStreamUsage: true })],
  ),
  // OpenCode's server reads the key of a message from x-api-key alone (packages/console in its repository).
  row(
    'opencode',
    'OpenCode Zen',
    ['OPENCODE_API_KEY', 'OPENCODE_ZEN_API_KEY'],
    [
      completions('https://opencode.ai/zen/v1', oldFields),
      responses('https://opencode.ai/zen/v1'),
      messages('https://opencode.ai/zen', { style: 'x-api-key' }),
    ],
    { aliases: ['opencode-zen', 'zen'] },
  ),
  row(
    'opencode-go',
    'OpenCode Go',
    ['OPENCODE_API_KEY', 'OPENCODE_ZEN_API_KEY'],
    [completions('https://opencode.ai/zen/go/v1', oldFields), messages('https://opencode.ai/zen/go', { style: 'x-api-key' })],
  ),
  row('baseten', 'Baseten', ['BASETEN_API_KEY'], [completions('https://inference.baseten.co/v1', oldFields)]),
  row('deepinfra', 'DeepInfra', ['DEEPINFRA_API_KEY'], [completions('https://api.deepinfra.com/v1/openai')]),
  row(
    'featherless',
    'Featherless',
    ['FEATHERLESS_API_KEY', 'FEATHERLESS_AI_API_KEY'],
    [completions('https://api.featherless.ai/v1')],
    {
      aliases: ['featherless_ai'],
    },
  ),
  row(
    'friendliai',
    'FriendliAI',
    ['FRIENDLIAI_API_KEY', 'FRIENDLI_TOKEN'],
    [completions('https://api.friendli.ai/serverless/v1')],
    {
      aliases: ['friendli'],
    },
  ),
  row('gmi', 'GMI Cloud', ['GMI_API_KEY'], [completions('https://api.gmi-serving.com/v1')]),
  row('hyperbolic', 'Hyperbolic', ['HYPERBOLIC_API_KEY'], [completions('https://api.hyperbolic.xyz/v1')]),
  row('kilocode', 'Kilo Code', ['KILOCODE_API_KEY'], [completions('https://api.kilo.ai/api/gateway')], { aliases: ['kilo'] }),
  row('nebius', 'Nebius', ['NEBIUS_API_KEY'], [completions('https://api.studio.nebius.ai/v1')]),
  row('novita', 'Novita AI', ['NOVITA_API_KEY'], [completions('https://api.novita.ai/openai/v1')]),
  row('siliconflow', 'SiliconFlow', ['SILICONFLOW_API_KEY'], [completions('https://api.siliconflow.cn/v1')], {
    otherOrigins: ['https://api.siliconflow.com'],
  }),
  row('ollama-cloud', 'Ollama Cloud', ['OLLAMA_API_KEY'], [at('ollama', 'https://ollama.com')]),
];

const locals: readonly CatalogProvider[] = [
  // Not its chat completions under /v1: they take no length of the context, so that a long prompt is cut off in secret
  // (https://github.com/ollama/ollama/issues/18107).
  row('ollama', 'Ollama', ['OLLAMA_API_KEY'], [at('ollama', 'http://127.0.0.1:11434')], { local: true }),
  row('vllm', 'vLLM', ['VLLM_API_KEY'], [completions('http://127.0.0.1:8000/v1', maxTokensOnly)], { local: true }),
  row('sglang', 'SGLang', ['SGLANG_API_KEY'], [completions('http://127.0.0.1:30000/v1', maxTokensOnly)], { local: true }),
  row('lmstudio', 'LM Studio', ['LM_API_TOKEN'], [completions('http://localhost:1234/v1', maxTokensOnly)], {
    local: true,
  }),
  row('llama-cpp', 'llama.cpp', [], [completions('http://127.0.0.1:8080/v1', maxTokensOnly)], { local: true }),
  row('litellm', 'LiteLLM proxy', ['LITELLM_API_KEY'], [completions('http://localhost:4000')], { local: true }),
  row('copilot-proxy', 'Copilot proxy', [], [completions('http://localhost:3000/v1')], { local: true }),
];

/** Programs of the host, with the login of the user who runs ola. Their address is a name for people: nothing is dialled. */
const programs: readonly CatalogProvider[] = [
  row('claude-cli', 'Claude Code', [], [at('claude-cli', 'program:claude')], {
    noEmbeddings: true,
    program: { modelsOf: 'anthropic' },
  }),
  row('codex-cli', 'Codex', [], [at('codex-cli', 'program:codex')], {
    noEmbeddings: true,
    program: {
      modelsOf: 'openai-codex',
      // Tried with 0.169.0: models of its list keep `exec` and `spawn_agent` whatever is disabled, and AGENTS.md of the user
      // and each skill that a prompt names are read and sent.
      refused:
        "Codex has no switch that takes all tools from its models, and it sends the user's AGENTS.md and skills along, so that whoever may call it could read files of this host. Log in with `ola auth` for the provider 'openai-codex', which serves the same models.",
    },
  }),
];

export const catalogProviders: readonly CatalogProvider[] = [...vendors, ...hosts, ...locals, ...programs];

/**
 * Providers whose address holds a region, a resource or an account of the user's, so that it must be configured. Braces stand
 * for that part. Their variables go where the owner of the machine sends them, since no address here is the vendor's alone.
 */
export const addressedByUser: readonly AddressedByUser[] = [
  {
    id: 'azure',
    name: 'Azure OpenAI',
    aliases: ['azure-openai', 'microsoft-foundry'],
    endpoints: [
      { protocol: 'openai-completions', baseUrl: 'https://{resource}.openai.azure.com/openai/v1' },
      { protocol: 'openai-responses', baseUrl: 'https://{resource}.openai.azure.com/openai/v1' },
    ],
    envVars: ['AZURE_OPENAI_API_KEY'],
    style: 'api-key',
  },
  {
    id: 'google-vertex',
    name: 'Google Vertex AI',
    aliases: ['vertex', 'vertex_ai'],
    // A key of Vertex AI in express mode goes to https://aiplatform.googleapis.com/v1, without a project.
    endpoints: [
      {
        protocol: 'google-generative-ai',
        baseUrl: 'https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}',
      },
    ],
    envVars: ['GOOGLE_CLOUD_API_KEY'],
    style: 'x-goog-api-key',
    quirks: { publisherPath: true },
  },
  {
    id: 'cloudflare-ai-gateway',
    name: 'Cloudflare AI Gateway',
    aliases: [],
    // The gateway's own token stands in the header cf-aig-authorization, so no variable is sent as the key.
    endpoints: [
      { protocol: 'openai-completions', baseUrl: 'https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/compat' },
      { protocol: 'openai-responses', baseUrl: 'https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/openai' },
      { protocol: 'anthropic-messages', baseUrl: 'https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/anthropic' },
    ],
    envVars: [],
    style: 'bearer',
    quirks: oldFieldsNoEffort,
  },
  {
    id: 'cloudflare-workers-ai',
    name: 'Cloudflare Workers AI',
    aliases: ['workers-ai'],
    endpoints: [{ protocol: 'openai-completions', baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1' }],
    envVars: ['CLOUDFLARE_API_KEY'],
    style: 'bearer',
    quirks: oldRoles,
  },
];
