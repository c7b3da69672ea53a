/**
 * Runs an attack by its name: `npm run attack -- overload`. Each is a file here, which says in its
 * header what it does and prints a table.
 */
const [name = ""] = process.argv.splice(2, 1)

if (/^[a-z]+$/u.test(name)) {
  await import(`./${name}.ts`)
} else {
  console.error("name an attack, such as overload: each is a file in test/attacks")
  process.exitCode = 1
}
