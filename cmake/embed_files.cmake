# Build step of aegis_embed_files: writes <folder>/<name>.cpp, which has the assembler include each of
# <files> and its compressed form. Their names are relative to <base>, or without their folders.

set(labels "")     # where each file's bytes are
set(entries "")    # the table of EmbeddedFile
set(index 0)
foreach(file IN LISTS files)
  if(base)
    file(RELATIVE_PATH file_name ${base} ${file})
  else()
    cmake_path(GET file FILENAME file_name)
  endif()
  set(compressed ${folder}/${name}_${index}.gz)
  execute_process(COMMAND gzip -9 --no-name --stdout ${file} OUTPUT_FILE ${compressed}
    COMMAND_ERROR_IS_FATAL ANY)
  file(SIZE ${file} size)
  file(SIZE ${compressed} compressed_size)
  if(NOT compressed_size LESS size)
    set(compressed_size 0)
  endif()
  file(SHA256 ${file} digest)

  set(label aegis_embedded_${name}_${index})
  string(APPEND labels "extern \"C\" const char ${label}[], ${label}_gzip[];\n"
    "asm(\".pushsection .rodata\\n\"\n"
    "    \"${label}: .incbin \\\"${file}\\\"\\n\"\n"
    "    \"${label}_gzip: .incbin \\\"${compressed}\\\"\\n\"\n"
    "    \".popsection\\n\");\n")
  string(APPEND entries "    {\"${file_name}\", {${label}, ${size}}, {${label}_gzip, ${compressed_size}},\n"
    "     \"${digest}\"},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE ${folder}/${name}.cpp
"#include \"embedded/${name}.h\"

${labels}
namespace aegis::embedded {

static const EmbeddedFile files[] = {
${entries}};

std::span<const EmbeddedFile> ${name}() { return files; }

}  // namespace aegis::embedded
")
