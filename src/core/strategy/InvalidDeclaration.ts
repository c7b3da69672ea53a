/** A declaration that cannot work, with the reason. */
export class InvalidDeclaration extends Error {
  override readonly name = "InvalidDeclaration"
}
