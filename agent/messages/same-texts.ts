/** The values that each text of a table takes, by id; undefined for plain text. */
export type ParamsOf<Table> = {
  readonly [Id in keyof Table]: Table[Id] extends (params: infer Params) => string ? Params : undefined;
};

/** A table of texts for messages of these parameters. */
export type TextsOf<Params> = {
  readonly [Id in keyof Params]: Params[Id] extends undefined ? string : (params: Params[Id]) => string;
};

/** The same table in another language: a missing text, or one with other parameters, does not compile. */
export type SameTexts<Table> = TextsOf<ParamsOf<Table>>;
