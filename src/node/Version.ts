/**
 * Tells the version of this package. It stands in the source, not in a file that is read, so that a
 * bundle tells it too; a test holds it to package.json.
 */
export const version = "0.1.0"
