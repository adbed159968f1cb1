/** `npm audit --json`, version 2, as far as it is read here. */
export interface AuditReport {
  readonly vulnerabilities: Readonly<Record<string, { readonly via: readonly (string | Advisory)[] }>>;
  readonly metadata?: { readonly dependencies?: { readonly total?: number } };
}

interface Advisory {
  readonly name: string;
  /** "https://github.com/advisories/GHSA-..." */
  readonly url: string;
  readonly title: string;
  readonly severity: string;
}

/** OpenVEX 0.2 (https://github.com/openvex/spec), as far as it is read here. */
export interface Vex {
  readonly statements: readonly {
    readonly vulnerability: { readonly name: string };
    readonly status: "not_affected" | "affected" | "fixed" | "under_investigation";
    readonly justification?: string;
    readonly impact_statement?: string;
  }[];
}

export interface Judgement {
  readonly open: readonly {
    readonly id: string;
    readonly severity: string;
    readonly title: string;
    readonly packages: string[];
  }[];
  readonly ruledOut: readonly { readonly id: string; readonly because: string }[];
  /** Statements about advisories that no package has. */
  readonly unused: readonly string[];
}

/** An advisory is ruled out only by a statement that says why: `not_affected` with a justification or an impact. */
export function judge(vulnerabilities: AuditReport["vulnerabilities"], { statements }: Vex): Judgement {
  const found = new Map<string, { severity: string; title: string; packages: string[] }>();
  for (const { via } of Object.values(vulnerabilities)) {
    for (const advisory of via) {
      // A name stands for a package that has the vulnerable one below it.
      if (typeof advisory === "string") continue;
      const { name, url, title, severity } = advisory;
      const id = url.slice(url.lastIndexOf("/") + 1);
      const { packages } = found.get(id) ?? { packages: [] };
      found.set(id, { severity, title, packages: [...new Set([...packages, name])] });
    }
  }
  const reasons = new Map(
    statements.flatMap(({ vulnerability, status, justification, impact_statement: impact }) => {
      const because = [justification, impact].filter((text) => text !== undefined && text !== "").join(": ");
      return status === "not_affected" && because !== "" ? [[vulnerability.name, because] as const] : [];
    }),
  );
  return {
    open: [...found].filter(([id]) => !reasons.has(id)).map(([id, facts]) => ({ id, ...facts })),
    ruledOut: [...found.keys()].flatMap((id) => (reasons.has(id) ? [{ id, because: reasons.get(id) ?? "" }] : [])),
    unused: statements.map(({ vulnerability }) => vulnerability.name).filter((name) => !found.has(name)),
  };
}
