/** Bedrock's refusals: the kind that decides what follows. */
import { describe, expect, test } from 'bun:test';
import { readFailure } from '../../../src/protocols/bedrock-converse-stream/errors.ts';

const failure = (status: number, type: string | null, message: string) =>
  readFailure(status, (name) => (name === 'x-amzn-errortype' ? type : null), JSON.stringify({ message }));

describe('refusals', () => {
  test.each([
    [400, 'ValidationException', 'messages.0: bad', 'invalid_request'],
    [400, 'ValidationException', 'Input is too long for requested model.', 'context_overflow'],
    [403, 'AccessDeniedException', "You don't have access to the model with the specified model ID.", 'entitlement'],
    [403, 'AccessDeniedException', 'User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel', 'auth'],
    [403, 'UnrecognizedClientException', 'The security token included in the request is invalid.', 'auth'],
    [400, 'ExpiredTokenException', 'The security token included in the request is expired', 'auth'],
    [403, 'InvalidSignatureException', 'Signature expired', 'auth'],
    [404, 'ResourceNotFoundException', 'Could not resolve the foundation model', 'invalid_request'],
    [408, 'ModelTimeoutException', 'Timed out', 'timeout'],
    [424, 'ModelErrorException', 'The model failed', 'server_error'],
    [429, 'ThrottlingException', 'Too many tokens, please wait before trying again.', 'rate_limit'],
    [429, 'ModelNotReadyException', 'Model is not ready', 'overloaded'],
    [400, 'ServiceQuotaExceededException', 'Your request exceeds the service quota', 'rate_limit'],
    [500, 'InternalServerException', 'Oops', 'server_error'],
    [503, 'ServiceUnavailableException', 'Busy', 'overloaded'],
  ])('%d %s (%s) is %s', (status, type, message, kind) => {
    expect(failure(status, type, message)).toMatchObject({ status, kind, message, code: type } as never);
    expect(failure(status, `${type}:http://internal.amazon.com/coral/`, message)).toMatchObject({ kind } as never);
  });

  test('the type may stand in the body alone, and the message may have a capital', () => {
    const body = '{"__type":"com.amazon.coral.service#ThrottlingException","Message":"Slow down"}';
    expect(readFailure(400, () => null, body)).toMatchObject({ kind: 'rate_limit', message: 'Slow down', status: 400 });
  });

  test('a model that needs an inference profile is told with the remedy', () => {
    const message =
      "Invocation of model ID anthropic.claude-x with on-demand throughput isn't supported. Retry your request with the ID or ARN of an inference profile that contains this model.";
    expect(failure(400, 'ValidationException', message).message).toContain('us., eu., apac., global.');
  });

  test('a body of another form is read as other vendors’ are', () => {
    expect(readFailure(429, () => null, '{"error":{"message":"from a proxy"}}')).toMatchObject({ message: 'from a proxy' });
    expect(readFailure(502, () => null, '<html>')).toMatchObject({ kind: 'server_error', body: null });
  });
});
