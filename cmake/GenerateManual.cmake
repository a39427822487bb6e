# Script: writes the manual pages and the bash completion that the program itself prints.
# usage: cmake -DTESSERA=PROGRAM -DSHARE=FOLDER -P GenerateManual.cmake

# print_help(FILE ARGUMENTS...)
function(print_help file)
  execute_process(COMMAND ${TESSERA} help ${ARGN} OUTPUT_FILE ${file} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${TESSERA} help ${ARGN} failed: ${result}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${SHARE}/man/man1 ${SHARE}/bash-completion/completions)
print_help(${SHARE}/bash-completion/completions/tessera --completion)
print_help(${SHARE}/man/man1/tessera.1 --man)

file(STRINGS ${SHARE}/bash-completion/completions/tessera commands REGEX "local commands='")
string(REGEX REPLACE ".*'(.*)'.*" "\\1" commands "${commands}")
separate_arguments(commands)
foreach(command IN LISTS commands)
  print_help(${SHARE}/man/man1/tessera-${command}.1 --man ${command})
endforeach()
