/**
 * Lets SQLite, compiled to WebAssembly, keep its files on a `TornDisk`. Every call is synchronous,
 * and time and chance come from a seed, so that a run repeats.
 *
 * It answers as SQLite's own VFS for Unix does (sector size, safe overwrites, an index of the log
 * in shared memory), so that SQLite takes the same steps as under a real node.
 */
import type { Sqlite3Static, WasmPointer } from "@sqlite.org/sqlite-wasm"
import { invariant } from "../../../src/core/Invariant.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import { epochMillis } from "../../../src/testing/simulator/SimRuntime.ts"
import { DiskError, type TornDisk, type TornFile } from "./TornDisk.ts"

const pathBytesMax = 512
/** The size that SQLite is told on Unix; the disk tears in smaller pieces. */
const sectorBytes = 4096

/** SQLite's time begins in 4714 BC. */
const julianEpochMillis = 210_866_760_000_000

interface OpenFile {
  readonly file: TornFile
  readonly disk: TornDisk
  /** A journal or log, which may be new: its first sync is one of the directory too. */
  isNew: boolean
  /** Regions of the log's index: memory, which ends with the process. */
  readonly regions: Array<WasmPointer>
}

export class SqliteVfs {
  readonly #sqlite: Sqlite3Static
  readonly #disks = new Map<string, TornDisk>()
  readonly #open = new Map<WasmPointer, OpenFile>()
  readonly #fileMethods: WasmPointer
  #mounts = 0
  #random: SeededRandom | undefined

  /** Becomes the default VFS, which is where SQLite takes its chance from. */
  constructor(sqlite: Sqlite3Static) {
    this.#sqlite = sqlite
    const { capi, wasm } = sqlite
    const io = new capi.sqlite3_io_methods()
    io.installMethods({ ...this.#contentMethods(), ...this.#lockMethods() })
    // The package's types leave out the `$` of this name. Version 2 has the shared memory.
    Object.assign(io, { $iVersion: 2 })
    this.#fileMethods = io.pointer
    const file = new capi.sqlite3_file()
    const vfs = new capi.sqlite3_vfs()
    vfs.installMethods(this.#diskMethods())
    vfs.$iVersion = 2
    vfs.$szOsFile = file.structInfo.sizeof
    vfs.$mxPathname = pathBytesMax
    vfs.$zName = wasm.allocCString("torn", false)
    file.dispose()
    capi.sqlite3_vfs_register(vfs, 1)
  }

  /**
   * Names the directory under which SQLite finds the disk's files. From here on all chance that
   * SQLite needs, for whichever database, is drawn from `random`.
   */
  mount(disk: TornDisk, random: SeededRandom): string {
    this.#random = random
    // Forgets the rest of the chance drawn before.
    this.#sqlite.capi.sqlite3_randomness(0, 0)
    const name = `/${++this.#mounts}`
    this.#disks.set(name, disk)
    return name
  }

  unmount(name: string): void {
    this.#disks.delete(name)
  }

  /** Splits a path as SQLite gives it. */
  #locate(path: WasmPointer): { readonly disk: TornDisk; readonly name: string } {
    const text = this.#sqlite.wasm.cstrToJs(path) ?? ""
    const slash = text.lastIndexOf("/")
    const disk = this.#disks.get(text.slice(0, slash))
    invariant(disk !== undefined, `SQLite opens files of its disks only, not "${text}"`)
    return { disk, name: text.slice(slash + 1) }
  }

  #file(pointer: WasmPointer): OpenFile {
    const open = this.#open.get(pointer)
    invariant(open !== undefined, "SQLite uses a file while it is open")
    return open
  }

  /** The result code of a call to the disk. */
  #code(act: () => number | void): number {
    const { capi } = this.#sqlite
    try {
      return act() ?? capi.SQLITE_OK
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return error.refusal === "full" ? capi.SQLITE_FULL : capi.SQLITE_IOERR
    }
  }

  #diskMethods() {
    const { capi, wasm } = this.#sqlite
    return {
      xOpen: (_: WasmPointer, path: WasmPointer, file: WasmPointer, flags: number, out: number) =>
        this.#code(() => {
          wasm.pokePtr(file, 0)
          const { disk, name } = this.#locate(path)
          if (!disk.exists(name) && !(flags & capi.SQLITE_OPEN_CREATE)) return capi.SQLITE_CANTOPEN
          const isNew = (flags & (capi.SQLITE_OPEN_MAIN_JOURNAL | capi.SQLITE_OPEN_WAL)) !== 0
          this.#open.set(file, { file: disk.open(name), disk, isNew, regions: [] })
          wasm.pokePtr(file, this.#fileMethods)
          if (out !== 0) wasm.poke32(out, flags)
          return capi.SQLITE_OK
        }),
      xDelete: (_: WasmPointer, path: WasmPointer, syncDirectory: number) =>
        this.#code(() => {
          const { disk, name } = this.#locate(path)
          if (!disk.exists(name)) return capi.SQLITE_IOERR_DELETE_NOENT
          disk.remove(name)
          if (syncDirectory !== 0) disk.syncDirectory()
          return capi.SQLITE_OK
        }),
      xAccess: (_: WasmPointer, path: WasmPointer, _flags: number, result: WasmPointer) =>
        this.#code(() => {
          const { disk, name } = this.#locate(path)
          // An empty file counts as none.
          wasm.poke32(result, disk.exists(name) && disk.open(name).size > 0 ? 1 : 0)
        }),
      xFullPathname: (_: WasmPointer, path: WasmPointer, bytesMax: number, out: WasmPointer) =>
        wasm.cstrncpy(out, path, bytesMax) < bytesMax ? capi.SQLITE_OK : capi.SQLITE_CANTOPEN,
      xRandomness: (_: WasmPointer, length: number, out: WasmPointer) => {
        invariant(this.#random !== undefined, "a disk is mounted before SQLite needs chance")
        for (let i = 0; i < length; i++) wasm.poke8(out + i, this.#random.integer(0, 255))
        return length
      },
      xSleep: () => capi.SQLITE_OK,
      xCurrentTimeInt64: (_: WasmPointer, out: WasmPointer) => {
        wasm.poke64(out, BigInt(julianEpochMillis + epochMillis))
        return capi.SQLITE_OK
      }
    }
  }

  #contentMethods() {
    const { capi, wasm } = this.#sqlite
    return {
      xClose: (file: WasmPointer) => {
        this.#open.delete(file)
        return capi.SQLITE_OK
      },
      xRead: (file: WasmPointer, buffer: WasmPointer, length: number, offset: bigint) =>
        this.#code(() => {
          const bytes = this.#file(file).file.read(Number(offset), length)
          wasm.heap8u().set(bytes, buffer)
          if (bytes.length === length) return capi.SQLITE_OK
          wasm.heap8u().fill(0, buffer + bytes.length, buffer + length)
          return capi.SQLITE_IOERR_SHORT_READ
        }),
      xWrite: (file: WasmPointer, buffer: WasmPointer, length: number, offset: bigint) =>
        this.#code(() => {
          const bytes = wasm.heap8u().subarray(buffer, buffer + length)
          this.#file(file).file.write(Number(offset), bytes)
        }),
      xTruncate: (file: WasmPointer, size: bigint) =>
        this.#code(() => this.#file(file).file.truncate(Number(size))),
      xSync: (pointer: WasmPointer) =>
        this.#code(() => {
          const open = this.#file(pointer)
          open.file.sync()
          if (open.isNew) open.disk.syncDirectory()
          open.isNew = false
        }),
      xFileSize: (file: WasmPointer, out: WasmPointer) =>
        this.#code(() => void wasm.poke64(out, BigInt(this.#file(file).file.size))),
      xFileControl: () => capi.SQLITE_NOTFOUND,
      xSectorSize: () => sectorBytes,
      xDeviceCharacteristics: () => capi.SQLITE_IOCAP_POWERSAFE_OVERWRITE
    }
  }

  /** One connection has a disk to itself: every lock is free. */
  #lockMethods() {
    const { capi, wasm } = this.#sqlite
    return {
      xLock: () => capi.SQLITE_OK,
      xUnlock: () => capi.SQLITE_OK,
      xCheckReservedLock: (_: WasmPointer, out: WasmPointer) => {
        wasm.poke32(out, 0)
        return capi.SQLITE_OK
      },
      xShmMap: (
        file: WasmPointer,
        index: number,
        length: number,
        extend: number,
        out: WasmPointer
      ) => {
        const { regions } = this.#file(file)
        if (extend !== 0 && regions[index] === undefined) {
          const region = wasm.alloc(length)
          wasm.heap8u().fill(0, region, region + length)
          regions[index] = region
        }
        wasm.pokePtr(out, regions[index] ?? 0)
        return capi.SQLITE_OK
      },
      xShmLock: () => capi.SQLITE_OK,
      xShmBarrier: () => {},
      xShmUnmap: (file: WasmPointer) => {
        const { regions } = this.#file(file)
        for (const region of regions.splice(0)) wasm.dealloc(region)
        return capi.SQLITE_OK
      }
    }
  }
}
