import * as pulumi from "@pulumi/pulumi";

/** What `BuilderCertificates` are for. */
export interface BuilderCertificatesArgs {
    /**
     * The names and addresses that builders answer to, for example `buildkit.internal` or `10.0.0.7`. A name of your own
     * together with `serverName` in `endpoints` fits builders whose addresses change. A change issues certificates anew.
     */
    serverNames: pulumi.Input<pulumi.Input<string>[]>;

    /**
     * How long certificates of builders and clients last, in days. Defaults to 90.
     * @integer
     */
    validityDays?: pulumi.Input<number>;

    /**
     * How many days before their end they are renewed, by the next `up`. Defaults to 30.
     * @integer
     */
    renewBeforeDays?: pulumi.Input<number>;

    /**
     * How long an authority lasts, in days. Defaults to five years.
     * @integer
     */
    caValidityDays?: pulumi.Input<number>;
}

/** What one side of a connection needs, each as PEM text. It fits `tls` of an endpoint. */
export interface TlsMaterial {
    /** The authorities to trust: during a change two of them, one after the other. */
    ca: string;

    /** The certificate to show. */
    cert: string;

    /** The private key of that certificate. */
    key: string;
}

/**
 * An authority, and certificates for builders and for who uses them, so that both prove themselves to each other. All of
 * it is kept in the state, keys as secrets, and nothing on any machine. What ends within the renewal window is issued
 * anew by any `up`.
 *
 * A new authority comes in two steps: it is trusted first, and signs only `renewBeforeDays` later, so that builders that
 * were given `server` in between never meet a certificate they do not trust.
 */
export class BuilderCertificates extends pulumi.CustomResource {
    /** The authorities to trust, as PEM text. */
    declare public readonly ca: pulumi.Output<string>;

    /**
     * For builders. A builder reads its certificates once: restart it when this changes.
     * @secret
     */
    declare public readonly server: pulumi.Output<TlsMaterial>;

    /**
     * For who uses the builders: what `tls` of an endpoint takes.
     * @secret
     */
    declare public readonly client: pulumi.Output<TlsMaterial>;

    /** When the certificates end, as an ISO date and time. */
    declare public readonly expiresAt: pulumi.Output<string>;

    /** When the newest authority ends, as an ISO date and time. */
    declare public readonly caExpiresAt: pulumi.Output<string>;

    /**
     * The authorities with their keys, as JSON. Only renewals need it.
     * @secret
     */
    declare public readonly authorities: pulumi.Output<string>;

    constructor(name: string, args: BuilderCertificatesArgs, opts?: pulumi.CustomResourceOptions) {
        const outputs = {
            ca: undefined,
            server: undefined,
            client: undefined,
            expiresAt: undefined,
            caExpiresAt: undefined,
            authorities: undefined,
        };
        const secrets = { additionalSecretOutputs: ["server", "client", "authorities"] };
        const options = pulumi.mergeOptions(secrets, opts);
        super("multiarch:index:BuilderCertificates", name, { ...args, ...outputs }, options);
    }

    /** How many whole days are left until the certificates end, at the time the program runs. */
    public get daysLeft(): pulumi.Output<number> {
        const dayMs = 24 * 60 * 60 * 1_000;
        return this.expiresAt.apply((end) => Math.floor((Date.parse(end) - Date.now()) / dayMs));
    }
}
