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
    const literal = words(variables.SECRETWRAP_LITERAL);
    const examined = Object.entries(variables).filter(([name]) => !literal.includes(name));
    const references = examined.flatMap(([, value]) => referencesIn(value));
    const named = examined.flatMap(([name, value]) => namedIn(name, value));
    grantRead(fn, [...references.flatMap(arnsOfReference), ...named.flatMap((secret) => arnsOfNamed(fn, secret))]);
    references.forEach(({ secret }) => grantDecrypt(fn, secret));
  }

  /** Lets a function read the secrets to which its secretwrap.yaml refers, which is not read here. */
  allow(fn: Function, ...references: string[]): void {
    grantRead(fn, references.map(withScheme).flatMap(secretsIn).flatMap((secret) => arnsOfNamed(fn, secret)));
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

/** Lets a function read secrets, by their ARNs. */
function grantRead(fn: Function, arns: string[]): void {
  if (arns.length === 0) return;
  fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(arns)] }));
}

/** Lets Secrets Manager use the secret's key on behalf of a function. */
function grantDecrypt(fn: Function, secret: ISecret): void {
  if (secret.encryptionKey === undefined) return;
  fn.addToRolePolicy(new PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [secret.encryptionKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${secret.env.region}.amazonaws.com` } },
  }));
}

/** Returns the references to constructs that a value holds. */
function referencesIn(value: Value): readonly Reference[] {
  if (value instanceof Template) return value.references;
  return value instanceof Reference ? [value] : [];
}

/** Returns the secrets that a variable names in its text. */
function namedIn(name: string, value: Value): NamedSecret[] {
  if (typeof value !== 'string') return [];
  try {
    return textsIn(name, value).flatMap(secretsIn);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
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

function arnsOfReference({ secret, mayBeAbsent }: Reference): string[] {
  return secret.secretFullArn === undefined ? incomplete(secret.secretArn, mayBeAbsent) : [secret.secretFullArn];
}

function arnsOfNamed(scope: Construct, { id, mayBeAbsent }: NamedSecret): string[] {
  if (/^arn:.*-[A-Za-z0-9]{6}$/.test(id)) return [id];
  const { partition, region, account } = Stack.of(scope);
  return incomplete(id.startsWith('arn:') ? id : `arn:${partition}:secretsmanager:${region}:${account}:secret:${id}`, mayBeAbsent);
}

/**
 * Returns the ARNs for one without the six characters that AWS appends. AWS may deny
 * access to an absent secret that is not allowed by its mere name.
 */
function incomplete(arn: string, mayBeAbsent: boolean): string[] {
  return mayBeAbsent ? [`${arn}-??????`, arn] : [`${arn}-??????`];
}
