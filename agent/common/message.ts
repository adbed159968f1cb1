/**
 * What there is to say: the id of a text and the values that it takes. The code that decides makes one; agent/messages/ has the texts, and
 * agent/messages/text-of.ts renders them where they are shown.
 * @template Params by id; undefined for a text that takes none
 */
export type Message<Params> = {
  [Id in keyof Params & string]: Params[Id] extends undefined
    ? { readonly id: Id; readonly params?: undefined }
    : { readonly id: Id; readonly params: Params[Id] };
}[keyof Params & string];
