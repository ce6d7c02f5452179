/**
 * InvokeModel of Bedrock's embeddings models, with the rules of their pages
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html, model-parameters-embed-v3.html, -v4.html).
 * A vector is the length of its text, and as many zeros behind it as were asked for.
 */
type Body = Readonly<Record<string, unknown>>;

/** @returns null for a body that the model refuses */
export function invoked(model: string, body: Body): Response | null {
  return model.startsWith('amazon.titan-embed-text') ? titan(model, body) : cohere(model, body);
}

function titan(model: string, body: Body): Response | null {
  const known = model.endsWith('v2:0') ? ['inputText', 'dimensions', 'normalize', 'embeddingTypes'] : ['inputText'];
  const { inputText, dimensions = 2 } = body;
  if (typeof inputText !== 'string' || inputText === '' || hasOther(body, known)) return null;
  const embedding = vector(inputText, Number(dimensions));
  return Response.json({ embedding, embeddingsByType: { float: embedding }, inputTextTokenCount: 3 });
}

const inputTypes: readonly unknown[] = ['search_document', 'search_query', 'classification', 'clustering'];

function cohere(model: string, body: Body): Response | null {
  const known = ['texts', 'input_type', 'embedding_types', 'truncate', ...(model.includes('v4') ? ['output_dimension'] : [])];
  const { texts, input_type: inputType, output_dimension: dimensions = 2, embedding_types: types } = body;
  const isList =
    Array.isArray(texts) && texts.length > 0 && texts.length <= 96 && texts.every((each) => typeof each === 'string');
  if (!isList || !inputTypes.includes(inputType) || hasOther(body, known)) return null;
  const vectors = texts.map((text) => vector(text as string, Number(dimensions)));
  const answer = {
    id: 'e-1',
    response_type: 'embeddings_by_type',
    texts,
    embeddings: types === undefined ? vectors : { float: vectors },
  };
  return Response.json(answer, { headers: { 'x-amzn-bedrock-input-token-count': '9' } });
}

const hasOther = (body: Body, known: readonly string[]) => Object.keys(body).some((name) => !known.includes(name));

function vector({ length }: string, dimensions: number): readonly number[] {
  return [length, ...Array.from({ length: dimensions - 1 }, () => 0)];
}
