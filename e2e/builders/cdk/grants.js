// What the construct in examples/cdk adds to functions, and what it refuses. Its
// argument is the directory of that example, compiled.
const fs = require('fs');
const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { Repository } = require('aws-cdk-lib/aws-ecr');
const { Alias, Key } = require('aws-cdk-lib/aws-kms');
const { Architecture, Code, DockerImageCode, DockerImageFunction, Function, Runtime } = require('aws-cdk-lib/aws-lambda');
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
  const outputs = stacks.flatMap(({ template }) => Object.keys(template.Outputs ?? {}));
  return { directory, outputs, resources: Object.assign({}, ...stacks.map(({ template }) => template.Resources)) };
}

function makeFunction(stack, id, props) {
  return new Function(stack, id, { code: Code.fromAsset(path.join(example, 'function')), handler: 'app.handler', ...props });
}

function describe(stack, secretwrap) {
  const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:123456789012:key/one');
  const full = Secret.fromSecretAttributes(stack, 'Full', { secretCompleteArn: `${prefix}construct/full-AbCdEf`, encryptionKey });
  const alias = Alias.fromAliasAttributes(stack, 'Alias', {
    aliasName: 'alias/two', aliasTargetKey: Key.fromKeyArn(stack, 'Target', 'arn:aws:kms:eu-west-1:123456789012:key/two'),
  });
  const aliased = Secret.fromSecretAttributes(stack, 'Aliased', { secretCompleteArn: `${prefix}construct/aliased-AbCdEf`, encryptionKey: alias });
  const named = Secret.fromSecretNameV2(stack, 'Named', 'construct/db-master');
  const foreign = Secret.fromSecretPartialArn(stack, 'Foreign', 'arn:aws:secretsmanager:us-east-1:210987654321:secret:construct/foreign');
  const python = makeFunction(stack, 'Python', { runtime: Runtime.PYTHON_3_13, architecture: Architecture.ARM_64 });
  secretwrap.addTo(python, {
    ...require('../../testdata/references.json'),
    CONSTRUCT: ref(named, { path: 'a' }),
    CONSTRUCT_FOREIGN: ref(foreign),
    CONSTRUCT_TEMPLATE: template`a${ref(full, { path: 'b', encode: 'url', default: 'x +' })}c`,
  });
  secretwrap.addTo(python, { ALIASED: ref(aliased) });
  secretwrap.allow(python, 'manifest#a');
  const go = makeFunction(stack, 'Go', { runtime: Runtime.PROVIDED_AL2023, handler: 'app' });
  secretwrap.addTo(go, { NAME: 'secretsmanager://plain' });
  const code = DockerImageCode.fromEcr(Repository.fromRepositoryName(stack, 'Repository', 'app'));
  secretwrap.addTo(new DockerImageFunction(stack, 'Image', { code }), { NAME: 'secretsmanager://plain' });
  secretwrap.addTo(makeFunction(new Stack(stack, 'Neighbour', { env }), 'Neighbour', { runtime: Runtime.PYTHON_3_13 }), {});
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

const { directory, outputs, resources: described } = stackWith(describe);
const find = (type, id) => Object.entries(described).find(([name, { Type }]) => Type === type && name.startsWith(id))?.[1];
// The partition is not known here.
const known = (part) => part && JSON.parse(JSON.stringify(part), (_, value) => {
  if (value?.Ref === 'AWS::Partition') return 'aws';
  return value?.['Fn::Join'] ? value['Fn::Join'][1].join('') : value;
});

// The name of the zip that a layer is.
function zipOf(layer) {
  const published = fs.readFileSync(path.join(directory, `asset.${described[layer].Properties.Content.S3Key}`));
  return fs.readdirSync(dist).find((name) => published.equals(fs.readFileSync(path.join(dist, name))));
}

const functions = {};
for (const id of ['Python', 'Go', 'Image', 'Neighbour']) {
  const { Layers = [], Environment } = find('AWS::Lambda::Function', id).Properties;
  functions[id] = {
    layers: Layers.map(({ Ref }) => zipOf(Ref)),
    environment: known(Environment.Variables),
    policy: known(find('AWS::IAM::Policy', id)?.Properties.PolicyDocument),
  };
}

const refused = {
  'a name that is known at the deployment': refusedValue((stack) => `secretsmanager://${new Secret(stack, 'New').secretName}`),
  'an alias whose key is not known': refusedValue((stack) => ref(Secret.fromSecretAttributes(stack, 'Aliased', {
    secretCompleteArn: `${prefix}aliased-AbCdEf`, encryptionKey: Alias.fromAliasName(stack, 'Alias', 'alias/one'),
  }))),
  'a reference in a text': refusedValue((stack) => `a${ref(new Secret(stack, 'New'))}`),
  'a program called bootstrap': refusal((stack, secretwrap) => {
    secretwrap.addTo(makeFunction(stack, 'Go', { runtime: Runtime.PROVIDED_AL2023, handler: 'bootstrap' }), {});
  }),
};
for (const value of ['secretsmanager:/prod/db', 'SecretsManager://prod/db', 'secretsmanager://arn:aws:s3:::prod']) {
  refused[value] = refusedValue(value);
}
console.log(JSON.stringify({ functions, outputs, refused }, undefined, 1));
