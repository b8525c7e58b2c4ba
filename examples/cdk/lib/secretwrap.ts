import * as path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Architecture, CfnFunction, Code, Function, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { NamedSecret, Reference, Template, secretsIn } from './reference';

export interface SecretwrapProps {
  /** Directory of the layers that `make layer` builds. */
  readonly dist: string;
}

/** What a variable holds: a text, which may be a reference by name, or what ref and template make. */
export type Value = string | Reference | Template;

/** Puts secrets into the environment of functions, and lets them read these secrets and no others. */
export class Secretwrap extends Construct {
  constructor(scope: Construct, id: string, private readonly props: SecretwrapProps) {
    super(scope, id);
  }

  /** Adds the layer, the variables, and what the role must allow. */
  addTo(fn: Function, variables: Record<string, Value>): void {
    const osOnly = fn.runtime.name.startsWith('provided');
    fn.addLayers(this.layer(fn.architecture, osOnly));
    if (osOnly) {
      requireHandler(fn);
    } else {
      fn.addEnvironment('AWS_LAMBDA_EXEC_WRAPPER', '/opt/secretwrap');
    }
    for (const [name, value] of Object.entries(variables)) {
      fn.addEnvironment(name, `${value}`);
    }
    grant(fn, variables);
  }

  /** Lets a function read the secrets to which its secretwrap.yaml refers, which is not read here. */
  allow(fn: Function, ...references: string[]): void {
    references.map(withScheme).flatMap(secretsIn).forEach((secret) => grantNamed(fn, secret));
  }

  /** Returns the layer for functions of one kind, which they share. */
  private layer(architecture: Architecture, osOnly: boolean): LayerVersion {
    const variant = `${osOnly ? 'os-only-' : ''}${architecture.name}`;
    const known = this.node.tryFindChild(variant);
    if (known instanceof LayerVersion) return known;
    return new LayerVersion(this, variant, {
      // A zip is published as it is, links included.
      code: Code.fromAsset(path.join(this.props.dist, `secretwrap-layer-${variant}.zip`)),
      compatibleArchitectures: [architecture],
    });
  }
}

/** Refuses a program called bootstrap, which hides the layer's. Its name may be changed until the end. */
function requireHandler(fn: Function): void {
  fn.node.addValidation({
    validate: () => {
      const { handler } = fn.node.defaultChild as CfnFunction;
      return handler === 'bootstrap' ? ['secretwrap: call the program anything but bootstrap, and set the handler to its name'] : [];
    },
  });
}

/** Lets a function read the secrets to which its variables refer. */
function grant(fn: Function, variables: Record<string, Value>): void {
  const literal = words(variables.SECRETWRAP_LITERAL);
  for (const [name, value] of Object.entries(variables)) {
    if (literal.includes(name)) continue;
    if (typeof value !== 'string') {
      const references = value instanceof Template ? value.references : [value];
      references.forEach((reference) => grantReference(fn, reference));
      continue;
    }
    try {
      textsIn(name, value).flatMap(secretsIn).forEach((secret) => grantNamed(fn, secret));
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Returns the texts in a variable that may hold references. */
function textsIn(name: string, value: string): string[] {
  if (name === 'SECRETWRAP_ENV_FROM') return words(value).map(withScheme);
  return name.startsWith('SECRETWRAP_') ? [] : [value];
}

/** Returns a reference where the scheme may be left out. */
function withScheme(reference: string): string {
  return `secretsmanager://${reference.replace(/^secretsmanager:\/\//, '')}`;
}

function words(value: Value | undefined): string[] {
  return `${value ?? ''}`.split(/[\s,]+/).filter((word) => word !== '');
}

function grantReference(fn: Function, { secret, mayBeAbsent }: Reference): void {
  grantRead(fn, secret.secretFullArn ?? `${secret.secretArn}-??????`);
  if (mayBeAbsent && secret.secretFullArn === undefined) {
    grantRead(fn, secret.secretArn);
  }
  decrypt(fn, secret);
}

/** Lets Secrets Manager use the secret's key on behalf of the function. */
function decrypt(fn: Function, secret: ISecret): void {
  if (secret.encryptionKey === undefined) return;
  fn.addToRolePolicy(new PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [secret.encryptionKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${secret.env.region}.amazonaws.com` } },
  }));
}

function grantNamed(fn: Function, { id, mayBeAbsent }: NamedSecret): void {
  const { partition, region, account } = Stack.of(fn);
  const arn = id.startsWith('arn:') ? id : `arn:${partition}:secretsmanager:${region}:${account}:secret:${id}`;
  const complete = id.startsWith('arn:') && /-[A-Za-z0-9]{6}$/.test(id);
  grantRead(fn, complete ? arn : `${arn}-??????`);
  // AWS may deny access to an absent secret that is not allowed by its mere name.
  if (mayBeAbsent && !complete) grantRead(fn, arn);
}

function grantRead(fn: Function, arn: string): void {
  fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] }));
}
