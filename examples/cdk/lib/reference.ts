import { IResource, Token } from 'aws-cdk-lib';
import { ISecret } from 'aws-cdk-lib/aws-secretsmanager';

/** What a reference may say beside its secret; README's table tells what it means. */
export interface ReferenceOptions {
  readonly path?: string;
  readonly stage?: string;
  readonly version?: string;
  readonly optional?: boolean;
  readonly default?: string;
  readonly encode?: 'url' | 'base64' | 'json';
  readonly file?: string;
  readonly mode?: string;
}

/** A reference to a secret that is a construct. */
export class Reference {
  constructor(readonly secret: ISecret, readonly options: ReferenceOptions = {}) {}

  get mayBeAbsent(): boolean {
    return this.options.optional === true || this.options.default !== undefined;
  }

  /** Returns the reference as the variable of a function has it. */
  textFor(fn: IResource): string {
    const { path, optional, ...valued } = this.options;
    const options = Object.entries(valued)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${encode(value)}`);
    if (optional) options.push('optional');
    const query = options.length > 0 ? `?${options.join('&')}` : '';
    return `secretsmanager://${this.idFor(fn)}${query}${path === undefined ? '' : `#${path}`}`;
  }

  /** Without it, a text would take no notice of the braces that a reference needs there. */
  toString(): never {
    throw new Error('a text with a reference in it is made by template`…`');
  }

  /**
   * Returns the name of a secret whose ARN lacks the characters that AWS appends: AWS
   * takes the end of a name such as db-master for these. Abroad a name is of no use.
   */
  private idFor(fn: IResource): string {
    const { secretArn, secretFullArn, env } = this.secret;
    const abroad = env.account !== fn.env.account || env.region !== fn.env.region;
    // Its secretName has lost such an end where it was read from an ARN.
    const name = secretArn.split(':secret:')[1];
    return secretFullArn !== undefined || abroad || name === undefined ? secretArn : name;
  }
}

function encode(value: string): string {
  // Encoded, it would not be replaced at the deployment any more.
  if (Token.isUnresolved(value)) throw new Error('an option of a reference must be known before the deployment');
  return encodeURIComponent(value).replaceAll('%2F', '/');
}

/** Refers to a secret: `ref(secret, { path: 'password' })`. */
export function ref(secret: ISecret, options?: ReferenceOptions): Reference {
  return new Reference(secret, options);
}

/** A text with references in it. */
export class Template {
  constructor(private readonly literals: readonly string[], readonly references: readonly Reference[]) {}

  /** Returns the text as the variable of a function has it. */
  textFor(fn: IResource): string {
    return this.literals.reduce((text, literal, i) => `${text}{{${this.references[i - 1]?.textFor(fn)}}}${literal}`);
  }
}

/** Makes a text with references in it: `` template`postgres://app:${ref(secret, …)}@db` ``. */
export function template(literals: TemplateStringsArray, ...references: Reference[]): Template {
  return new Template(literals, references);
}

/** The secret of a reference that is written as text. */
export interface NamedSecret {
  /** Its name, or its ARN with or without the six characters that AWS appends. */
  readonly id: string;
  readonly mayBeAbsent: boolean;
}

const name = '[A-Za-z0-9/_+=.@!-]+';
const arn = `arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:${name}`;
// Longer schemes, such as awssecretsmanager://, belong to others.
const scheme = '(?<![A-Za-z0-9_+.-])secretsmanager:/';
// The options of a reference that is all of a text, and of one between braces, where
// braces in options are not allowed.
const whole = '[^#]*';
const between = '[^#}]*';

/** Returns a pattern whose groups are an ARN, which ECS's fields may follow, or a name; and the options. */
function referenceWith(options: string): RegExp {
  return new RegExp(`${scheme}/(?:(?<arn>${arn})(?::[^?#}\\s]*)?|(?<name>${name}))(?:\\?(?<options>${options}))?(?=[#}\\s]|$)`, 'g');
}

/**
 * Returns the secrets to which a text refers. Only so much of a reference is read as a
 * policy needs; `secretwrap check` judges the rest. Throws where that cannot be read.
 */
export function secretsIn(text: string): NamedSecret[] {
  const isWhole = text.trimStart().startsWith('secretsmanager://');
  const found = [...text.matchAll(referenceWith(isWhole ? whole : between))];
  const meant = [...text.matchAll(new RegExp(scheme, 'gi'))];
  if (found.length === meant.length) {
    return found.map(({ groups = {} }) => ({
      id: groups.arn ?? groups.name ?? '',
      mayBeAbsent: /(^|&)(optional(&|$)|default=)/.test(groups.options?.trim() ?? ''),
    }));
  }
  if (Token.isUnresolved(text)) {
    throw new Error('the secret is not known before the deployment: refer to it by ref(secret, …)');
  }
  throw new Error('no secret can be read: write secretsmanager://NAME#PATH; secretwrap check tells what is wrong');
}
