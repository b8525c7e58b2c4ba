// What the construct in examples/cdk adds to functions, and what it refuses. Its
// argument is the directory of that example, compiled.
const fs = require('fs');
const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { Key } = require('aws-cdk-lib/aws-kms');
const { Architecture, Code, Function, Runtime } = require('aws-cdk-lib/aws-lambda');
const { Secret } = require('aws-cdk-lib/aws-secretsmanager');

const [, , example] = process.argv;
const { Secretwrap } = require(path.join(example, 'build/lib/secretwrap.js'));
const { ref, template } = require(path.join(example, 'build/lib/reference.js'));
const dist = path.join(example, '../../dist');
const env = { account: '123456789012', region: 'eu-west-1' };
const prefix = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

function stackWith(describe) {
  const app = new App();
  const stack = new Stack(app, 'Stack', { env });
  describe(stack, new Secretwrap(stack, 'Secretwrap', { dist }));
  const { directory, stacks } = app.synth();
  return { directory, resources: stacks[0].template.Resources };
}

function makeFunction(stack, id, props) {
  return new Function(stack, id, { code: Code.fromAsset(path.join(example, 'function')), handler: 'app.handler', ...props });
}

function describe(stack, secretwrap) {
  const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:123456789012:key/one');
  const full = Secret.fromSecretAttributes(stack, 'Full', { secretCompleteArn: `${prefix}construct/full-AbCdEf`, encryptionKey });
  const named = Secret.fromSecretNameV2(stack, 'Named', 'construct/name');
  const python = makeFunction(stack, 'Python', { runtime: Runtime.PYTHON_3_13, architecture: Architecture.ARM_64 });
  secretwrap.addTo(python, {
    ...require('../../testdata/references.json'),
    CONSTRUCT: ref(named),
    CONSTRUCT_TEMPLATE: template`a${ref(full, { path: 'b', encode: 'url', default: 'x +' })}c`,
  });
  secretwrap.allow(python, 'manifest#a');
  const go = makeFunction(stack, 'Go', { runtime: Runtime.PROVIDED_AL2023, handler: 'app' });
  secretwrap.addTo(go, { NAME: 'secretsmanager://plain' });
}

function refusal(describe) {
  try {
    stackWith(describe);
    return '';
  } catch (error) {
    return error.message;
  }
}

function refusedValue(value) {
  return refusal((stack, secretwrap) => {
    const fn = makeFunction(stack, 'Python', { runtime: Runtime.PYTHON_3_13 });
    secretwrap.addTo(fn, { MALFORMED: typeof value === 'function' ? value(stack) : value });
  });
}

const { directory, resources: described } = stackWith(describe);
const find = (type, id) => Object.entries(described).find(([name, { Type }]) => Type === type && name.startsWith(id))?.[1];
// The partition is not known here.
const known = (part) => JSON.parse(JSON.stringify(part), (_, value) => {
  if (value?.Ref === 'AWS::Partition') return 'aws';
  return value?.['Fn::Join'] ? value['Fn::Join'][1].join('') : value;
});

// The name of the zip that a layer is.
function zipOf(layer) {
  const published = fs.readFileSync(path.join(directory, `asset.${described[layer].Properties.Content.S3Key}`));
  return fs.readdirSync(dist).find((name) => published.equals(fs.readFileSync(path.join(dist, name))));
}

const functions = {};
for (const id of ['Python', 'Go']) {
  const { Layers: [{ Ref: layer }], Environment } = find('AWS::Lambda::Function', id).Properties;
  functions[id] = {
    layer: zipOf(layer),
    environment: known(Environment.Variables),
    policy: known(find('AWS::IAM::Policy', id).Properties.PolicyDocument),
  };
}

const refused = {
  'a name that is known at the deployment': refusedValue((stack) => `secretsmanager://${new Secret(stack, 'New').secretName}`),
  'a program called bootstrap': refusal((stack, secretwrap) => {
    secretwrap.addTo(makeFunction(stack, 'Go', { runtime: Runtime.PROVIDED_AL2023, handler: 'bootstrap' }), {});
  }),
};
for (const value of ['secretsmanager:/prod/db', 'SecretsManager://prod/db', 'secretsmanager://arn:aws:s3:::prod']) {
  refused[value] = refusedValue(value);
}
console.log(JSON.stringify({ functions, refused }, undefined, 1));
